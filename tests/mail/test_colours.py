"""Colours that can be read."""

import random

import pytest

from app.domain.organisations import Branding
from app.mail.colours import DEFAULT_PRIMARY, WHITE, contrast, palette, text_on


def test_black_and_white_are_as_far_apart_as_colours_can_be() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#777777") == pytest.approx(1)


@pytest.mark.parametrize(
    ("background", "text"),
    [
        ("#ffffff", "#000000"),
        ("#ffd400", "#000000"),
        ("#000000", "#ffffff"),
        ("#0f5c6e", "#ffffff"),
        ("#b4430f", "#ffffff"),
    ],
)
def test_a_button_takes_the_text_that_is_easier_to_read(background: str, text: str) -> None:
    assert text_on(background) == text


def test_whatever_the_colour_button_and_links_can_be_read() -> None:
    chosen = random.Random(3)
    for _ in range(500):
        colour = f"#{chosen.randrange(1 << 24):06x}"
        colours = palette(Branding(primary_color=colour))
        assert contrast(colours.primary, colours.on_primary) >= 4.5
        assert contrast(colours.link, WHITE) >= 4.5


def test_an_organisation_without_colours_gets_the_default_ones() -> None:
    assert palette(Branding()).primary == DEFAULT_PRIMARY


def test_without_a_secondary_colour_the_primary_one_is_used_throughout() -> None:
    assert palette(Branding(primary_color="#0A5C2F")).accent == "#0a5c2f"
