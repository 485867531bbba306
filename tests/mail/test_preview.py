"""Mails to look at."""

from pathlib import Path

from app.domain.communications import MailKind
from app.mail.preview import write_previews


def test_every_kind_in_every_language_is_written_and_listed(tmp_path: Path) -> None:
    written = write_previews(tmp_path / "preview")
    index = (tmp_path / "preview" / "index.html").read_text(encoding="utf-8")
    assert len(written) == 5 * len(MailKind) * 2 + 1
    assert all(path.stat().st_size > 500 for path in written)
    for kind in MailKind:
        for language in ("en", "nl", "fr", "de", "fi"):
            assert f'src="{language}/{kind.value}.html"' in index
            assert (tmp_path / "preview" / language / f"{kind.value}.txt") in written
