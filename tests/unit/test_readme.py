"""The README tells the truth about the settings and the commands."""

from pathlib import Path

from app.cli import app
from app.settings import Settings, settings_table

_README = Path(__file__).parents[2] / "README.md"


def test_the_readme_lists_every_setting_as_it_is() -> None:
    assert settings_table() in _README.read_text(encoding="utf-8")


def test_every_setting_says_what_it_is_for() -> None:
    assert all(field.description for field in Settings.model_fields.values())


def test_the_readme_names_every_command() -> None:
    named = _README.read_text(encoding="utf-8")
    commands = [command.name or command.callback.__name__ for command in app.registered_commands if command.callback]
    assert len(commands) >= 10
    assert [command for command in commands if command not in named] == []
