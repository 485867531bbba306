"""The list of guards that are taken out in turn stays true to the code."""

import pytest

from tests.security.guards import BEGIN, END, GUARDS, PAGE, ROOT, Guard


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.what)
def test_the_guard_stands_where_the_list_says(guard: Guard) -> None:
    assert guard.code in (ROOT / guard.file).read_text()
    assert guard.code not in guard.without
    assert all((ROOT / name).is_file() for name in guard.tests.split())


def test_the_page_tells_of_every_guard() -> None:
    told = PAGE.read_text().partition(BEGIN)[2].partition(END)[0]
    assert [guard.what for guard in GUARDS if guard.what not in told] == []
