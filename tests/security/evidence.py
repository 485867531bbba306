"""The requirements of OWASP's ASVS 5.0 that apply here, each with the tests that prove it.

A test names what it proves: `@pytest.mark.asvs("6.5.1")`. `make evidence` writes the table into docs/security.md.
"""

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "security.md"
BEGIN, END = "<!-- evidence: begin -->", "<!-- evidence: end -->"

REQUIREMENTS = {
    "1.2.10": "cells of a CSV file are no formulas",
    "1.3.6": "calls to given addresses reach no internal service",
    "2.2.1": "input is checked against what is expected",
    "2.3.1": "no step of a story can be skipped",
    "2.3.3": "a deed happens whole or not at all",
    "2.3.4": "what exists once is given once",
    "2.4.1": "too many calls are refused",
    "3.4.1": "browsers are told to use https alone",
    "3.4.2": "other origins are allowed by setting alone",
    "3.4.3": "the explorer has a content security policy",
    "4.1.1": "answers name their type",
    "6.2.1": "passwords have a least length",
    "6.2.2": "customers change their password",
    "6.2.3": "changing it takes the current one",
    "6.2.4": "common passwords are refused",
    "6.2.5": "no rule of composition",
    "6.2.8": "a password is taken as it is typed",
    "6.2.9": "long passwords are fine",
    "6.2.11": "words of the context are refused",
    "6.3.1": "guessing passwords is slowed down",
    "6.3.6": "the owner is told of changes",
    "6.3.8": "nobody learns which addresses are known",
    "6.4.1": "links expire and are used up",
    "6.4.3": "a forgotten password is reset safely",
    "6.4.6": "employees start a reset and never learn or choose a password",
    "6.5.1": "a link works once",
    "6.5.2": "the database holds nothing that works as a token",
    "6.5.8": "expiry is judged by one trusted clock",
    "7.2.3": "session tokens are random, 128 bits or more",
    "7.2.4": "each login has a token of its own",
    "7.3.1": "idle sessions end",
    "7.3.2": "sessions end after a time in any case",
    "7.4.1": "after logging out a session is of no use",
    "7.4.2": "without its account a session is of no use",
    "7.4.3": "a new password ends the other sessions",
    "7.4.5": "employees end a customer's sessions",
    "7.5.1": "changing the address takes the password",
    "7.5.2": "customers see and end their sessions",
    "8.2.1": "each operation takes its permission",
    "8.2.2": "each object belongs to someone",
    "8.3.2": "a right that is taken away is gone at the next call",
    "8.3.3": "who acts for someone else acts with their own rights",
    "8.4.1": "no organisation reaches into another",
    "9.1.1": "bearers are genuine",
    "9.1.2": "algorithms are an allow-list",
    "9.1.3": "keys come from the issuer alone",
    "9.2.1": "bearers are in their time",
    "9.2.2": "a token serves its own purpose alone",
    "9.2.3": "bearers are meant for this service",
    "14.2.1": "secrets travel in bodies, headers and fragments",
    "15.2.3": "the image holds what the service needs and no more",
    "15.3.2": "redirects are not followed",
    "15.3.3": "nobody sets a field that is not theirs",
    "15.3.4": "a client's address is believed from trusted proxies alone",
    "15.4.2": "checking and doing are one step",
    "16.2.1": "an entry tells who, what, when and whence",
    "16.2.5": "no secret and no whole address stands in a log",
    "16.3.1": "logins and failed ones are remembered",
    "16.3.2": "refused attempts are remembered",
    "16.4.1": "nobody writes lines into a log",
    "16.4.2": "the log is changed by nobody",
    "16.5.1": "a fault tells nothing",
    "16.5.2": "the service lives on while others are away",
    "16.5.3": "a fault lets nobody in",
}


def marked(tests: Path = ROOT / "tests") -> Mapping[str, Sequence[str]]:
    """The names of the tests that say what they prove, by requirement."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted(tests.rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef):
                for requirement in _named(node):
                    found[requirement].append(f"{path.relative_to(tests)}::{node.name}")
    return found


def _named(test: ast.FunctionDef) -> Iterator[str]:
    for mark in test.decorator_list:
        if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.asvs":
            yield from (str(ast.literal_eval(given)) for given in mark.args)


def table() -> str:
    """The table as it stands on the page."""
    proofs = marked()
    rows = ["| ASVS 5.0 | here | proved by |", "|---|---|---|"]
    for requirement, here in REQUIREMENTS.items():
        names = [name.partition("::test_")[2].replace("_", " ") for name in proofs.get(requirement, ())]
        rows.append(f"| {requirement} | {here} | {'; '.join(names)} |")
    return "\n".join(rows)


def main() -> None:
    """Write the table."""
    before, _, rest = PAGE.read_text().partition(BEGIN)
    PAGE.write_text(f"{before}{BEGIN}\n{table()}\n{END}{rest.partition(END)[2]}")


if __name__ == "__main__":
    main()
