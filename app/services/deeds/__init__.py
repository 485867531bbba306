"""What several use cases do inside their transaction; each takes the unit of work."""
