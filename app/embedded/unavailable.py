"""Why embedded PostgreSQL cannot run."""


class EmbeddedUnavailable(Exception):
    """Embedded PostgreSQL cannot run here; its text is one line that says why and what to do."""
