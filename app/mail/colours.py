"""The colours of a mail: an organisation's own where they can be used, tasteful ones where not."""

import re
from dataclasses import dataclass

from app.domain.organisations import Branding

BLACK = "#000000"
WHITE = "#ffffff"
DEFAULT_PRIMARY = "#0f5c6e"
DEFAULT_SECONDARY = "#e39a2d"
READABLE = 4.5  # WCAG 2.2, success criterion 1.4.3, for text of normal size

_COLOUR = re.compile(r"#[0-9A-Fa-f]{6}")


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours that the layout uses, each `#rrggbb`."""

    primary: str
    on_primary: str
    accent: str
    link: str


def palette(branding: Branding) -> Palette:
    """The palette of an organisation; whatever is not exactly `#rrggbb` counts as absent."""
    primary = _colour(branding.primary_color)
    secondary = _colour(branding.secondary_color)
    fitting = [colour for colour in (primary, secondary) if colour and contrast(colour, WHITE) >= READABLE]
    return Palette(
        primary=primary or DEFAULT_PRIMARY,
        on_primary=text_on(primary or DEFAULT_PRIMARY),
        accent=secondary or primary or DEFAULT_SECONDARY,
        link=fitting[0] if fitting else DEFAULT_PRIMARY,
    )


def text_on(background: str) -> str:
    """Black or white, whichever is easier to read on the colour."""
    return max((WHITE, BLACK), key=lambda text: contrast(text, background))


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, 1 to 21 (WCAG 2.2, "contrast ratio")."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _colour(value: str | None) -> str | None:
    # The value goes into style attributes, where escaping for HTML does not keep anything out.
    return value.lower() if value and _COLOUR.fullmatch(value) else None


def _luminance(colour: str) -> float:
    shares = (int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5))
    red, green, blue = (share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
