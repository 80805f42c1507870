"""The envelope, the registry of event types and the JSON codec."""
