"""The platform: its signature, its words, and asking it for a customer."""
