"""Guards of the service and the tests that must fail without them.

`make guards` takes each out of a copy of the project, runs its tests, and writes into docs/security.md what caught it.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "security.md"
BEGIN, END = "<!-- guards taken out: begin -->", "<!-- guards taken out: end -->"
_LEFT_OUT = shutil.ignore_patterns(".venv", ".git", ".data", "*_cache", "__pycache__", "*.egg-info", ".hypothesis")
_FAILED = re.compile(r"^FAILED (\S+?)::(test_\w+)", re.MULTILINE)


@dataclass(frozen=True)
class Guard:
    """A line that keeps someone out: what it does, where it stands, what stands there without it, who should notice."""

    what: str
    file: str
    code: str
    without: str
    tests: str


GUARDS = (
    Guard(
        "a link is spent once, by one conditional UPDATE",
        "app/repositories/tokens.py",
        "    .where(IS_THIS, IS_PENDING, tokens.c.expires_at > func.now())\n    .values(state=TokenState.USED.value,",
        "    .where(IS_THIS)\n    .values(state=TokenState.USED.value,",
        "tests/journeys/test_races.py tests/journeys/test_how_a_link_dies.py",
    ),
    Guard(
        "a token is genuine in one spelling only",
        "app/tokens.py",
        'len(raw) == 32 and _as_written(token.rpartition(".")[2])',
        "len(raw) == 32",
        "tests/unit/test_tokens.py",
    ),
    Guard(
        "each purpose signs with a salt of its own",
        "app/tokens.py",
        'salt=f"portal-access.{purpose.value}"',
        'salt="portal-access"',
        "tests/unit/test_tokens.py",
    ),
    Guard(
        "the permission of an operation is required",
        "app/routers/dependencies/backoffice.py",
        '        """Raises: PermissionInvalid."""\n        caller.require(self.permission)',
        '        """Raises: PermissionInvalid."""',
        "tests/api/test_matrix.py",
    ),
    Guard(
        "a bearer counts where it reaches, and nowhere else",
        "app/services/access.py",
        "reaches = bearer.reaches(tenant_id, organisation_id)",
        "reaches = True",
        "tests/bearers/test_attacks.py tests/api/test_matrix.py",
    ),
    Guard(
        "a bearer names this service as its audience",
        "app/bearers.py",
        'aud={"essential": True, "value": self._audience},',
        'aud={"essential": True},',
        "tests/bearers/test_attacks.py",
    ),
    Guard(
        "a portal operation that declares nothing is closed to impersonators",
        "app/domain/impersonations.py",
        "        case _:\n            return NotAllowedWhileImpersonating()",
        "        case _:\n            return None",
        "tests/journeys/test_impersonation_rights.py",
    ),
    Guard(
        "a session's secret is compared with its digest",
        "app/repositories/sessions.py",
        '_SECRET = sessions.c.secret_digest == bindparam("secret_digest", type_=LargeBinary())',
        '_SECRET = (sessions.c.secret_digest == bindparam("secret_digest", type_=LargeBinary())).is_not(None)',
        "tests/journeys/test_sessions.py",
    ),
    Guard(
        "a body is measured while it is read",
        "app/routers/reading.py",
        "if len(received) > self.largest_body:",
        "if False:",
        "tests/api/test_bodies.py",
    ),
    Guard(
        "JSON with duplicate keys is refused",
        "app/routers/reading.py",
        "object_pairs_hook=_no_duplicates, ",
        "",
        "tests/api/test_bodies.py tests/unit/test_strict_json.py",
    ),
    Guard(
        "outgoing calls go to public addresses alone",
        "app/outgoing.py",
        "return all(is_permitted(address, self._allowed, public=self._public) for address in addresses)",
        "return True",
        "tests/unit/test_outgoing.py",
    ),
    Guard(
        "log entries are changed and deleted by nobody",
        "migrations/versions/20261122_5b1d0c7f9a32_append_only_log.py",
        "BEFORE UPDATE OR DELETE ON activities",
        "BEFORE DELETE ON activities",
        "tests/journeys/test_the_log.py",
    ),
    Guard(
        "wrong customer numbers count against the link",
        "app/services/registrations.py",
        "most=MOST_WRONG_NUMBERS)",
        "most=1_000_000)",
        "tests/journeys/test_how_a_link_dies.py",
    ),
    Guard(
        "what changes a customer waits for its turn",
        "app/repositories/customers.py",
        "    .with_for_update(key_share=True)\n",
        "",
        "tests/journeys/test_races.py",
    ),
    Guard(
        "formulas in exported cells are inert",
        "app/routers/exporting.py",
        """return f"'{value}" if value.startswith(_FORMULA) else value""",
        "return value",
        "tests/api/test_exports.py tests/unit/test_exporting.py",
    ),
    Guard(
        "a seal reaches no further than the oldest running transaction",
        "app/services/sealing.py",
        "below = NEVER if outlived else moment.oldest",
        "below = NEVER if outlived else moment.next",
        "tests/security/test_log_sealing.py",
    ),
    Guard(
        "one seal of an organisation is made at a time",
        "app/services/sealing.py",
        "        await uow.seals.lock()\n",
        "",
        "tests/security/test_log_sealing.py",
    ),
    Guard(
        "a seal counts by its signature alone",
        "app/services/log_verification.py",
        "if not self._verifier.genuine(seal.content(), seal.signature):",
        "if False:",
        "tests/security/test_log_integrity.py",
    ),
    Guard(
        "an entry among sealed ones must have been sealed",
        "app/services/log_verification.py",
        "        for activity_id, occurred_at in unlisted:",
        "        for activity_id, occurred_at in ():",
        "tests/security/test_log_integrity.py",
    ),
    Guard(
        "retention is believed by its seals alone",
        "app/services/log_verification.py",
        "        if self._gone > self._removed:",
        "        if False:",
        "tests/security/test_log_sealing.py",
    ),
)


def without(guard: Guard, project: Path) -> list[str]:
    """The tests that fail when the guard is taken out of this copy of the project."""
    path = project / guard.file
    whole = path.read_text()
    path.write_text(whole.replace(guard.code, guard.without))
    try:
        ended = subprocess.run(
            [sys.executable, "-m", "pytest", "-n", "2", "-q", "--no-header", *guard.tests.split()],
            cwd=project,
            env={**os.environ, "PYTHONPATH": str(project)},
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        path.write_text(whole)
    return sorted({name for _, name in _FAILED.findall(ended.stdout)})


def main() -> None:
    """Take out each guard in turn and write down what caught it."""
    rows = ["| guard taken out | caught by |", "|---|---|"]
    with tempfile.TemporaryDirectory(prefix="portal-guards-") as folder:
        project = Path(folder) / "project"
        shutil.copytree(ROOT, project, ignore=_LEFT_OUT)
        for guard in GUARDS:
            caught = without(guard, project)
            print(f"{'caught' if caught else 'NOT CAUGHT'}: {guard.what} ({len(caught)} tests)", flush=True)
            if not caught:
                raise SystemExit(1)
            more = f" and {len(caught) - 2} more" if len(caught) > 2 else ""
            rows.append(f"| {guard.what} (`{guard.file}`) | {', '.join(f'`{name}`' for name in caught[:2])}{more} |")
    before, _, rest = PAGE.read_text().partition(BEGIN)
    PAGE.write_text(f"{before}{BEGIN}\n" + "\n".join(rows) + f"\n{END}{rest.partition(END)[2]}")


if __name__ == "__main__":
    main()
