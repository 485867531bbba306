"""How the garbage collector works in a process that serves."""

import gc

# Nearly everything that a request makes goes with its last reference. At the interpreter's 700 new objects the
# collector would look for circles several times within each request.
_NEW_OBJECTS = 50_000


def collect_rarely() -> None:
    """Look for circles less often: at the start too, which makes many objects and hardly any garbage."""
    gc.set_threshold(_NEW_OBJECTS, 10, 10)


def leave_alone_what_is_there() -> None:
    """Never look again through all that the start has made: routes, models, statements.

    Doing so again and again is what made single requests wait ten times as long as others.
    """
    gc.collect()
    gc.freeze()
