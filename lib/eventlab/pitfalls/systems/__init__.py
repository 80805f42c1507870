"""P31 to P36: what goes wrong between two systems. Versions, zombies, dual writes, stale views, checkpoints."""
