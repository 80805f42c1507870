"""How a team that keeps its facts in Kafka loses, duplicates or reorders them: one module each."""
