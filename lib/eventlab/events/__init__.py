"""The envelope, the registry of event types and their versions, the JSON codec, schemas and Avro."""
