"""The people of the journeys."""

import pytest

from tests.support.world import Customer


@pytest.fixture
def active(customer: Customer) -> Customer:
    """A customer with a confirmed account."""
    return customer.active()
