"""The file with the customers: all that is wrong in it is told before anything is sent."""

import csv
import io
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
        with path.open(encoding="utf-8-sig", newline="") as file:
            text = file.read()
    except UnicodeDecodeError:
        raise InvitingFailed(f"{path} is not UTF-8: save it as 'CSV UTF-8'.") from None
    heading = text.partition("\n")[0]
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=next((mark for mark in ";\t" if mark in heading), ","))
    try:
        columns = [name.strip().lower() for name in next(rows, [])]
        for column, field, checked in (
            ("customerid", "customerIds", _customer_id),
            ("accountnumber", "accountNumbers", _account_number),
        ):
            if column in columns:
                numbered = ((rows.line_num, row) for row in rows)
                return {field: _read(path, _cells(numbered, columns.index(column)), checked)}
    except csv.Error as error:
        raise InvitingFailed(f"{path} is no CSV: line {rows.line_num}: {error}.") from None
    raise InvitingFailed(f"{path} has no column accountNumber or customerId: its first line must name one.")


def _cells(rows: Iterable[tuple[int, list[str]]], place: int) -> Iterator[tuple[int, str]]:
    """The number of each line, and its cell in the column; lines without anything are passed over."""
    for number, row in rows:
        if any(cell.strip() for cell in row):
            yield number, row[place].strip() if place < len(row) else ""


def _read(path: Path, cells: Iterable[tuple[int, str]], checked: Callable[[str], str]) -> list[str]:
    """Each customer once, in the file's order."""
    found: dict[str, None] = {}
    wrong = []
    for number, cell in cells:
        try:
            found[checked(cell)] = None
        except ValueError as problem:
            wrong.append(f"line {number}: {problem}")
    if wrong:
        more = [f"and {len(wrong) - _MOST_TOLD:,} more"] if len(wrong) > _MOST_TOLD else []
        raise InvitingFailed("\n  ".join([f"{path} is wrong, nothing was sent:", *wrong[:_MOST_TOLD], *more]))
    if not found:
        raise InvitingFailed(f"{path} names no customers.")
    if len(found) > MOST_CUSTOMERS:
        raise InvitingFailed(f"{path} names {len(found):,} customers; a batch takes {MOST_CUSTOMERS:,}: split it.")
    return list(found)


def _customer_id(cell: str) -> str:
    try:
        return str(UUID(cell))
    except ValueError:
        raise ValueError(f"{cell[:80]!r} is not a UUID" if cell else "the customerId is empty") from None


def _account_number(cell: str) -> str:
    if not cell:
        raise ValueError("the accountNumber is empty")
    if len(cell) > _LONGEST_NUMBER:
        raise ValueError(f"an account number has {_LONGEST_NUMBER} characters at most")
    if not cell.isprintable():
        raise ValueError("an account number has no control characters")
    return cell
