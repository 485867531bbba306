"""Settings as they are read at the start, and as the README lists them."""

import os
import secrets
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path

from pydantic import ValidationError

from app.settings.settings import Settings, SettingsError

# Read by a command that calls the service, and no setting of the service itself.
_OF_COMMANDS = ("PORTAL_TOKEN",)


def settings_table() -> str:
    """All settings as a Markdown table, as it stands in the README."""
    lines = ["| setting | default | meaning |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        default = field.default.value if isinstance(field.default, StrEnum) else field.default
        if isinstance(default, tuple):
            default = ",".join(default)
        shown = "" if default in (None, "") else f"`{default}`"
        lines.append(f"| `PORTAL_{name.upper()}` | {shown} | {field.description} |")
    return "\n".join(lines) + "\n"


def load_settings(**given: object) -> Settings:
    """The settings of this process; an embedded one without secret keys gets a lasting one of its own.

    Raises: SettingsError, one line that names the setting.
    """
    try:
        settings = Settings(**given)  # type: ignore[arg-type]  # pydantic validates what the environment holds
    except ValidationError as error:
        first = error.errors()[0]
        name = "_".join(str(part) for part in first["loc"][:1])
        allowed = {
            "database_url": "postgresql://user:password@host:5432/database",
            "database_direct_url": "postgresql://user:password@host:5432/database",
            "log_level": "debug, info, warning or error",
        }.get(name)
        reason = f"it must be {allowed}" if allowed else first["msg"].removeprefix("Value error, ")
        raise SettingsError(f"PORTAL_{name.upper()} is wrong: {reason}.") from None
    if settings.secret_keys:
        return settings
    try:
        return settings.model_copy(update={"secret_keys": (_lasting_secret(settings.data_dir),)})
    except OSError as error:
        raise SettingsError(
            f"PORTAL_DATA_DIR is wrong: {settings.data_dir} cannot be used ({error.strerror})."
        ) from None


def unknown_settings() -> list[str]:
    """A line for each variable that looks like a setting of ours and is none."""
    known = [f"PORTAL_{name.upper()}" for name in Settings.model_fields]
    lines = []
    for name in sorted(os.environ):
        if name.startswith("PORTAL_") and not name.startswith("PORTAL_TEST_") and name not in (*known, *_OF_COMMANDS):
            like = get_close_matches(name, known, 1)
            lines.append(f"{name} is no setting and has no effect" + (f"; did you mean {like[0]}?" if like else "."))
    return lines


def _lasting_secret(folder: Path) -> str:
    """The secret kept in the data folder; made by whoever comes first, whole or not at all."""
    path = folder / "secret-key"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        draft = folder / f".secret-key.{os.getpid()}.{secrets.token_hex(4)}"
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(48))
        try:
            os.link(draft, path)  # fails if another process was first
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()
