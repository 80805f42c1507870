"""The event store: one contract, kept by memory, SQL and (as far as it can) a Kafka log."""
