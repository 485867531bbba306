"""The file with the customers: all that is wrong in it is told before anything is sent."""

import csv
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from uuid import UUID

from app.domain.invitation_batches import MOST_CUSTOMERS
from app.inviting.service import InvitingFailed

_LONGEST_NUMBER = 64
_MOST_TOLD = 20


def read_customers(path: Path) -> dict[str, list[str]]:
    """Whom the file names, as the API takes them: by `customerIds` if it has that column, else by `accountNumbers`.

    The first line names the columns; others than ours are passed over. Commas, semicolons and tabs are all good.

    Raises: InvitingFailed, which tells of each wrong line; OSError.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise InvitingFailed(f"{path} is not UTF-8: save it as 'CSV UTF-8'.") from None
    heading = lines[0] if lines else ""
    rows = csv.reader(lines, delimiter=next((mark for mark in ";\t" if mark in heading), ","))
    columns = [name.strip().lower() for name in next(rows, [])]
    for column, field, check in (
        ("customerid", "customerIds", _customer_id),
        ("accountnumber", "accountNumbers", _account_number),
    ):
        if column in columns:
            return {field: _read(path, _cells(rows, columns.index(column)), check)}
    raise InvitingFailed(f"{path} has no column accountNumber or customerId: its first line must name one.")


def _cells(rows: Iterable[list[str]], place: int) -> Iterator[tuple[int, str]]:
    """The number of each line, and its cell in the column; lines without anything are passed over."""
    for number, row in enumerate(rows, start=2):
        if any(cell.strip() for cell in row):
            yield number, row[place].strip() if place < len(row) else ""


def _read(path: Path, cells: Iterable[tuple[int, str]], check: Callable[[str], str | None]) -> list[str]:
    found: dict[str, None] = {}
    wrong = []
    for number, cell in cells:
        problem = check(cell) if cell else "nothing stands in the column"
        if problem:
            wrong.append(f"line {number}: {problem}")
        found[cell] = None
    if wrong:
        more = [f"and {len(wrong) - _MOST_TOLD} more"] if len(wrong) > _MOST_TOLD else []
        raise InvitingFailed("\n  ".join([f"{path} is wrong, nothing was sent:", *wrong[:_MOST_TOLD], *more]))
    if not found:
        raise InvitingFailed(f"{path} names no customers.")
    if len(found) > MOST_CUSTOMERS:
        raise InvitingFailed(f"{path} names {len(found):,} customers; a batch takes {MOST_CUSTOMERS:,}: split it.")
    return list(found)


def _customer_id(cell: str) -> str | None:
    try:
        UUID(cell)
    except ValueError:
        return f"{cell[:80]!r} is not a UUID"
    return None


def _account_number(cell: str) -> str | None:
    if len(cell) > _LONGEST_NUMBER:
        return f"an account number has {_LONGEST_NUMBER} characters at most"
    return None if cell.isprintable() else "an account number has no control characters"
