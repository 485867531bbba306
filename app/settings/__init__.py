"""The service's settings: environment variables with the prefix `PORTAL_`, `.env` read too.

A wrong setting stops the start with one line that names it; in production an unsafe one does too.
"""

from app.settings.loading import load_settings, settings_table, unknown_settings
from app.settings.settings import EMBEDDED_ISSUER, Environment, Settings, SettingsError

__all__ = [
    "EMBEDDED_ISSUER",
    "Environment",
    "Settings",
    "SettingsError",
    "load_settings",
    "settings_table",
    "unknown_settings",
]
