"""P25 to P30: what the log itself does. Compaction, replication, retention, and what it costs to look things up."""
