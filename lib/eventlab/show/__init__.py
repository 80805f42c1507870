"""Widgets and charts, each with alt text and a table."""
