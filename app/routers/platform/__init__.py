"""The calls that the platform's front end and its integrations have made all along (contract section 9)."""
