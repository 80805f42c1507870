"""Bank statements and order lines from outside, read, checked and stored as events."""
