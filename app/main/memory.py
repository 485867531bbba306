"""How the garbage collector works in a process that serves."""

import gc

# Nearly everything that a request makes goes with its last reference. At the interpreter's 700 new objects the
# collector would look for circles several times within each request.
_NEW_OBJECTS = 50_000


def collect_rarely() -> None:
    """Leave all that the start has made alone for good, and look for circles among the rest less often.

    Looking through routes, models and statements again and again is what made single requests wait ten times as long
    as others.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS, 10, 10)
