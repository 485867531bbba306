"""Hypothesis beside a service that works in another thread of the same process."""

import hypothesis
import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Others' use of `random` and a busy machine are no faults of a property."""
    hypothesis.settings.register_profile("unit", deadline=None)
    hypothesis.settings.load_profile("unit")
    config.addinivalue_line("filterwarnings", "ignore:Do not use the `random` module")
