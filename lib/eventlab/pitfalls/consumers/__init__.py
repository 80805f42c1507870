"""P13 to P24: what goes wrong on the way out of the log. Commits, threads, rebalances, retries, time."""
