"""Frozen types and pure rules; no I/O. What the service is about, in the contract's words."""
