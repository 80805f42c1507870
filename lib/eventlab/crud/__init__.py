"""The same cart and account as tables that keep the last state only."""
