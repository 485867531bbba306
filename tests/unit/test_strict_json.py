"""Strict JSON: whatever it accepts, it reads as everyone else would."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.routers.reading import strict_json

_text = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]))
_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | _text,
    lambda inner: st.lists(inner) | st.dictionaries(_text, inner),
    max_leaves=20,
)
_fragments = st.lists(
    st.sampled_from(
        [
            b"{",
            b"}",
            b"[",
            b"]",
            b",",
            b":",
            b'"',
            b'"a"',
            b'"a":',
            b"1",
            b"-",
            b"1e5",
            b"NaN",
            b"Infinity",
            b"true",
            b"null",
            b" ",
            b"\n",
            b"\\",
            b"\\u0000",
            b"\\ud800",
            b"\\udc00",
            b"\\ud83d\\ude00",
            b"\xff",
            b"\x00",
            b"\xc3\xa9",
        ]
    ),
    max_size=30,
).map(b"".join)


def _refused(body: bytes) -> None:
    with pytest.raises(json.JSONDecodeError):
        strict_json(body)


@given(_values, st.booleans())
def test_every_ordinary_document_is_read_as_it_is(value: Any, ascii_only: bool) -> None:
    body = json.dumps(value, ensure_ascii=ascii_only).encode()
    assert strict_json(body) == json.loads(body) == value


@given(st.binary(max_size=200) | _fragments)
def test_what_is_accepted_equals_the_standard_library(body: bytes) -> None:
    try:
        value = strict_json(body)
    except json.JSONDecodeError:
        return
    assert value == json.loads(body)
    _sound(value)


@given(_values)
def test_reading_and_writing_again_changes_nothing(value: Any) -> None:
    once = strict_json(json.dumps(value).encode())
    assert strict_json(json.dumps(once, ensure_ascii=False).encode()) == once


def _sound(value: Any) -> None:
    """Nothing that PostgreSQL or a terminal would choke on."""
    if isinstance(value, dict):
        for name, inner in value.items():
            _sound(name)
            _sound(inner)
    elif isinstance(value, list):
        for inner in value:
            _sound(inner)
    elif isinstance(value, str):
        assert "\x00" not in value
        value.encode("utf-8")
    elif isinstance(value, float):
        assert value == value


@pytest.mark.parametrize("depth", [1, 31, 32])
def test_32_levels_are_enough_for_anyone(depth: int) -> None:
    strict_json(b"[" * depth + b"]" * depth)
    strict_json(b'{"a":' * depth + b"1" + b"}" * depth)


@pytest.mark.parametrize("depth", [33, 1_000, 30_000])
def test_more_is_refused_without_a_fault(depth: int) -> None:
    _refused(b"[" * depth + b"]" * depth)
    _refused(b'{"a":' * depth + b"1" + b"}" * depth)
    _refused(b"[" * depth)
    _refused(b'[{"a":' * depth)


@pytest.mark.parametrize("text", ['"[[[["', '"' + "[" * 100 + '"', '["\\"", "' + "{" * 100 + '"]', '"\\\\"'])
def test_brackets_inside_texts_are_no_levels(text: str) -> None:
    assert strict_json(text.encode()) == json.loads(text)


@pytest.mark.parametrize(
    "body",
    [
        b"9" * 5_000,
        b"-" + b"9" * 5_000,
        b'{"a": 1, "a": 1}',
        b'{"a": {"b": 1, "b": 2}}',
        b'[{"a": 1, "\\u0061": 2}]',
        b'"\\u0000"',
        b'{"\\u0000": 1}',
        b'"\\ud800"',
        b'"\\uDFFF"',
        b'{"\\ud800": 1}',
        b'"\\ude00\\ud83d"',
        b'"\xed\xa0\x80"',
        b"\xff",
        b"\xef\xbb\xbf1",
        b"NaN",
        b"[Infinity]",
        b"-Infinity",
        b"",
        b" ",
        b"nul",
        b"1 1",
        b'"a\nb"',
    ],
    ids=lambda body: repr(body)[:40],
)
def test_what_can_be_read_in_two_ways_is_refused(body: bytes) -> None:
    _refused(body)


def test_an_escaped_backslash_before_a_u_is_text() -> None:
    assert strict_json(b'"\\\\u0000"') == "\\u0000"
    assert strict_json(b'"\\\\ud800"') == "\\ud800"
    assert strict_json(b'"\\ud83d\\ude00"') == "😀"
