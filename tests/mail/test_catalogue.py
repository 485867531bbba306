"""Texts complete in every language; a gap stops the start."""

import shutil
from pathlib import Path

import pytest

from app.domain.communications import MailKind
from app.mail.catalogue import TEMPLATES, CatalogueError, choose_language, placeholders, read_catalogue

FILES = ("common", *(kind.value for kind in MailKind))


@pytest.fixture
def templates(tmp_path: Path) -> Path:
    """A copy of the templates that a test may damage."""
    return Path(shutil.copytree(TEMPLATES, tmp_path / "templates"))


def test_the_platforms_five_languages_are_there() -> None:
    assert {"en", "nl", "fr", "de", "fi"} <= read_catalogue().keys()


@pytest.mark.parametrize("file", FILES)
def test_every_language_has_the_same_keys_and_fills_the_same_placeholders(file: str) -> None:
    catalogue = read_catalogue()
    english = {key: placeholders(text) for key, text in catalogue["en"][file].items()}
    for language, texts in catalogue.items():
        found = {key: placeholders(text) for key, text in texts[file].items()}
        # A sentence may name the organisation where another language does without.
        every, expected = ({key: names - {"organisation"} for key, names in each.items()} for each in (found, english))
        assert every == expected, f"{language}/{file}.toml"
        assert set().union(*found.values()) == set().union(*english.values()), f"{language}/{file}.toml"


@pytest.mark.parametrize("file", FILES)
def test_a_missing_file_stops_the_start(templates: Path, file: str) -> None:
    path = templates / "fi" / f"{file}.toml"
    path.unlink()
    with pytest.raises(CatalogueError, match=f"fi/{file}.toml"):
        read_catalogue(templates)


@pytest.mark.parametrize(
    ("was", "becomes", "complaint"),
    [
        ('reason = "', 'grund = "', "misses reason"),
        ('heading = "', 'extra = "x"\nheading = "', "unknown extra"),
        ("{{ organisation }}", "{{ organization }}", "organization"),
        ("{{ organisation }}", "{{ organisation|upper }}", "cannot be read"),
        ("{{ organisation }}", "{{ organisation }", "cannot be read"),
        ('preview = "', 'preview = ""\n#"', "empty"),
        ('heading = "', 'heading = ["x"]\n#"', "wrong type"),
        ("before = [", "before = [[", "deu?|de/"),
    ],
)
def test_a_damaged_text_stops_the_start(templates: Path, was: str, becomes: str, complaint: str) -> None:
    path = templates / "de" / "invitation.toml"
    text = path.read_text(encoding="utf-8")
    assert was in text
    path.write_text(text.replace(was, becomes), encoding="utf-8")
    with pytest.raises(CatalogueError, match=complaint):
        read_catalogue(templates)


def test_without_english_there_is_no_start(templates: Path) -> None:
    shutil.rmtree(templates / "en")
    with pytest.raises(CatalogueError, match="last resort"):
        read_catalogue(templates)


def test_a_cultures_own_texts_win_over_its_languages() -> None:
    assert choose_language(("en", "nl", "nl-BE"), "nl-BE") == ("nl-BE", "nl-BE")
    assert choose_language(("en", "nl", "nl-BE"), "nl-NL") == ("nl", "nl-NL")
