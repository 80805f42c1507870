"""Time travel: state as of a version or a time, and the differences between two moments."""
