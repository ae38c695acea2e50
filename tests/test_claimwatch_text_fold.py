"""Texts reduced to bare words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claimwatch.text.fold import fold, search_terms, slot_of, text_hash


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Đừng TIN: “nước chanh” chữa Covid-19!", "dung tin nuoc chanh chua covid 19"),
        ("đo\u0301n\u0323g snake_case", "dong snake case"),
        ("[link example.vn] [user]", "link example vn user"),
        ("ｆｕｌｌ ﬁ 𝐛𝐨𝐥𝐝", "full fi bold"),
        ("vắc\u200bxin", "vacxin"),
        ("नरेन्द्र 한국 がん", "नरेन्द्र 한국 がん"),
        ("😀 !!!", ""),
    ],
)
def test_only_bare_words_are_left(text: str, folded: str) -> None:
    assert fold(text) == folded


@given(st.text(st.characters()))
def test_folding_twice_changes_nothing_more(text: str) -> None:
    assert fold(fold(text)) == fold(text)


def test_texts_that_fold_alike_have_one_hash() -> None:
    assert text_hash("Nước chanh chữa COVID!") == text_hash("nuoc chanh, chua covid 🍋")
    assert text_hash("nước chanh") != text_hash("nước cam")


def test_the_hash_is_the_same_in_every_version() -> None:
    assert text_hash("Nước chanh") == "f2c2b20b8c244e5fac900ef4646d1441"


def test_wordless_texts_are_told_apart() -> None:
    assert text_hash("😀") != text_hash("😡")
    assert text_hash("😀") == text_hash(" 😀 ")


@given(st.text(st.characters()))
def test_any_text_has_a_hash_and_a_slot(text: str) -> None:
    hashed = text_hash(text)
    assert len(hashed) == 32
    assert slot_of(hashed) == int(hashed, 16) % 256


def test_a_query_becomes_its_folded_words() -> None:
    assert search_terms(" Nước-chanh  ĐẶC ") == ["nuoc", "chanh", "dac"]
