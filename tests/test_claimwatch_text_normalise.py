"""Texts in one spelling."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claimwatch.text.normalise import nfc, tidy, visible

ANY_TEXT = st.text(st.characters())  # lone surrogates too


def test_letters_typed_as_parts_are_composed() -> None:
    assert nfc("bê\u0323nh") == "bệnh"


@pytest.mark.parametrize(
    ("raw", "tidied"),
    [
        ("dòng một\r\ndòng hai\rdòng ba\u2028dòng bốn", "dòng một\ndòng hai\ndòng ba\ndòng bốn"),
        ("  hai \u00a0\t khoảng  trắng ", "hai khoảng trắng"),
        ("trên\n \n\t\n\n dưới", "trên\n\ndưới"),
        ("vắc\u200bxin d\u00adu\u0323\u200cng\ufeff", "vắcxin dụng"),
        ("a\x00b\x1bc\x7f", "abc"),
        ("\ud83d\ude00 \ud800", "😀 \ufffd"),
        ("", ""),
    ],
)
def test_what_a_reader_does_not_see_is_gone(raw: str, tidied: str) -> None:
    assert tidy(raw) == tidied


def test_the_joiner_stays_inside_emoji_alone() -> None:
    doctor = "👩🏽\u200d⚕\ufe0f"
    assert tidy(f"{doctor} bác\u200dsĩ") == f"{doctor} bácsĩ"


def test_a_pile_of_marks_is_cut_at_thirty() -> None:
    assert len(nfc("q" + "\u0301\u0323" * 5000)) == 31


def test_a_row_of_emoji_is_not_a_pile() -> None:
    assert nfc("😀" * 50) == "😀" * 50


@given(ANY_TEXT)
def test_tidying_never_fails_and_once_is_enough(text: str) -> None:
    once = tidy(text)
    assert tidy(once) == once
    assert unicodedata.is_normalized("NFC", once)
    assert visible(once) == once
    once.encode()
