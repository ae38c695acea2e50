"""Spans behind look-alike characters."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claimwatch.text.spans import PLACEHOLDER, bare, cut, lookalike, replace, whole


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("０９１２", "0912"),
        ("٠٩", "09"),
        ("𝐧𝐚𝐦＠ｘ．ｖｎ", "nam@x.vn"),
        ("a\u2009b\u00a0c\td", "a b c d"),
        ("1\u20132", "1-2"),
        ("Đừng", "Đừng"),
    ],
)
def test_foreign_and_styled_characters_read_as_plain_ones(written: str, read: str) -> None:
    assert lookalike(written) == read


def test_bare_letters_have_neither_case_nor_marks() -> None:
    assert bare("Nguyễn Thị ĐÀO") == "nguyen thi dao"


@given(st.text())
def test_every_reading_keeps_the_length(text: str) -> None:
    assert len(lookalike(text)) == len(bare(text)) == len(text)


def test_a_rule_reads_the_plain_twin_and_cuts_the_text_itself() -> None:
    assert replace("số ０９ và ９０", [(re.compile(r"0\d"), whole("[id]"))]) == "số [id] và ９０"


def test_a_refused_match_is_searched_inside() -> None:
    rule = (re.compile(r"\d{2}"), lambda found: (*found.span(), "[id]") if found[0] == "23" else None)
    assert replace("1234", [rule]) == "1[id]4"


def test_spans_are_cut_in_order() -> None:
    assert cut("abcdef", [(0, 1, "[user]"), (3, 5, "[id]")]) == "[user]bc[id]f"


@pytest.mark.parametrize("text", ["[user]", "[link]", "[link x.vn]"])
def test_placeholders_are_known(text: str) -> None:
    assert PLACEHOLDER.fullmatch(text)


@pytest.mark.parametrize("text", ["[User]", "[link Nguyễn.vn]", "[link a b]", "[name]"])
def test_other_brackets_are_no_placeholders(text: str) -> None:
    assert not PLACEHOLDER.fullmatch(text)
