"""The stories of the card, played against a running service: each request and each answer, readable."""

from collections.abc import Iterable

import httpx
from rich.console import Console

from app.tour.stage import Guide, Stage, TourFailed
from app.tour.stories import STORIES

__all__ = ["STORIES", "Guide", "TourFailed", "play"]


def play(guide: Guide, console: Console, names: Iterable[str] = ()) -> None:
    """Play the named stories, or all of them, with a customer made for each.

    Raises: TourFailed.
    """
    wanted = tuple(names) or tuple(STORIES)
    if unknown := [name for name in wanted if name not in STORIES]:
        raise TourFailed(f"There is no story {unknown[0]!r}; there are {', '.join(STORIES)}.")
    with httpx.Client(base_url=guide.url, timeout=20) as http:
        for name in wanted:
            story = STORIES[name]
            stage = Stage(guide, console, http)
            stage.story(story.title)
            story.play(stage)
    console.print(f"\nThe mails of these stories: [link]{guide.url}/mailbox[/]")
