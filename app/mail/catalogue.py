"""The texts of all mails, one folder per language, one file per kind of mail.

A new kind of mail needs its member of `MailKind` and a TOML file in each language, nothing else. A catalogue with a
gap stops the start: better than a mail that cannot be rendered at night.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path

from app.domain.communications import MailKind
from app.domain.organisations import FALLBACK_LANGUAGE

TEMPLATES = Path(__file__).parent / "templates"
COMMON = "common"

KEYS: dict[str, type] = {
    "subject": str,
    "preview": str,
    "heading": str,
    "before": list,
    "button": str,
    "after": list,
    "reason": str,
}
COMMON_KEYS = frozenset(
    ("greeting", "greeting_plain", "link_label", "validity", "copy_link", "security", "closing", "sent_by")
)
PLACEHOLDERS = frozenset(
    ("organisation", "name", "day", "time", "account_number", "account_email", "recipient", "several")
)

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_MARK = re.compile(r"\{\{ (\w+) \}\}|\{% if (\w+) %\}|\{% else %\}|\{% endif %\}")

Texts = Mapping[str, str | list[str]]


class CatalogueError(Exception):
    """A text that is missing or cannot be used; says which."""


def read_catalogue(folder: Path = TEMPLATES) -> dict[str, dict[str, Texts]]:
    """All texts: by language, then by kind of mail or `common`.

    Raises: CatalogueError, for a missing file or key and for a placeholder that no mail fills.
    """
    languages = sorted(path.name for path in folder.iterdir() if path.is_dir())
    catalogue = {language: _read_language(folder / language) for language in languages}
    if primary(FALLBACK_LANGUAGE) not in catalogue:
        raise CatalogueError(f"the last resort of all languages, {primary(FALLBACK_LANGUAGE)}, is missing")
    return catalogue


def placeholders(text: str | list[str]) -> set[str]:
    """The names that a text wants filled."""
    whole = text if isinstance(text, str) else "\n".join(text)
    return {name for match in _MARK.finditer(whole) for name in match.groups() if name}


def choose_language(available: Iterable[str], *wanted: str) -> tuple[str, str]:
    """The folder to take the texts from and the culture to write times in, for the first wanted language there is.

    For each wanted one its exact culture comes first, then its primary language; in the end English.
    """
    folders = {folder.lower(): folder for folder in available}
    for language in (*wanted, FALLBACK_LANGUAGE):
        culture = language.replace("_", "-")
        if not _LANGUAGE.fullmatch(culture):
            continue
        for candidate in (culture.lower(), primary(culture)):
            if candidate in folders:
                return folders[candidate], culture
    raise CatalogueError("no language to fall back on")


def primary(culture: str) -> str:
    """The language of a culture: `nl` of `nl-BE`."""
    return culture.partition("-")[0].lower()


def _read_language(folder: Path) -> dict[str, Texts]:
    files = {COMMON: _read_file(folder / f"{COMMON}.toml")}
    _demand(folder / COMMON, files[COMMON], COMMON_KEYS, COMMON_KEYS)
    for kind in MailKind:
        texts = _read_file(folder / f"{kind.value}.toml")
        _demand(folder / kind.value, texts, KEYS.keys() - {"button"}, KEYS.keys())
        for key, text in texts.items():
            if not isinstance(text, KEYS[key]):
                raise CatalogueError(f"{folder.name}/{kind.value}.toml: {key} is of the wrong type")
        files[kind.value] = texts
    return files


def _read_file(path: Path) -> Texts:
    try:
        texts = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise CatalogueError(f"{path.parent.name}/{path.name}: {error}") from error
    for key, text in texts.items():
        lines = text if isinstance(text, list) else [text]
        for line in lines:
            if not isinstance(line, str) or not line.strip():
                raise CatalogueError(f"{path.parent.name}/{path.name}: {key} is empty or not a text")
            if any(brace in _MARK.sub("", line) for brace in ("{{", "{%", "{#", "}}", "%}")):
                raise CatalogueError(f"{path.parent.name}/{path.name}: {key} has a placeholder that cannot be read")
        if unknown := placeholders(text) - PLACEHOLDERS:
            raise CatalogueError(f"{path.parent.name}/{path.name}: nothing fills {', '.join(sorted(unknown))}")
    return texts


def _demand(path: Path, texts: Texts, needed: Iterable[str], known: Iterable[str]) -> None:
    for word, keys in (("misses", set(needed) - texts.keys()), ("has the unknown", texts.keys() - set(known))):
        if keys:
            raise CatalogueError(f"{path.parent.name}/{path.name}.toml {word} {', '.join(sorted(keys))}")
