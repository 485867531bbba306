"""Request and response bodies: camelCase, times in UTC with a Z, unknown fields refused."""
