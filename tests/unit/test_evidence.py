"""The table of requirements and their proofs cannot lag behind the tests."""

from tests.security.evidence import BEGIN, END, PAGE, REQUIREMENTS, marked, table


def test_every_requirement_is_proved_by_a_test() -> None:
    proved = marked()
    assert [name for name in REQUIREMENTS if name not in proved] == []


def test_no_test_names_a_requirement_that_is_not_listed() -> None:
    assert [name for name in marked() if name not in REQUIREMENTS] == []


def test_the_page_shows_the_table() -> None:
    assert PAGE.read_text().partition(f"{BEGIN}\n")[2].partition(f"\n{END}")[0] == table(), "run `make evidence`"
