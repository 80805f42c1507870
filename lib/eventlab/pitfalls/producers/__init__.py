"""P1 to P12: what goes wrong on the way into the log. Keys and partitions, retries, transactions."""
