"""Copies of one post, and answers that only look like copies."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claimwatch.text.copies import are_copies, bands, jaccard

CLAIM = (
    "Uống nước chanh nóng mỗi sáng chữa được bệnh này, một bác sĩ giỏi vừa báo cho bà con cả nước biết để phòng bệnh, "
    "xin mọi người chia sẻ ngay"
)
PLAIN = (
    "uong nuoc chanh nong moi sang chua duoc benh nay mot bac si gioi vua bao cho ba con ca nuoc biet de phong benh "
    "xin moi nguoi chia se ngay"
)


@pytest.mark.parametrize(
    "answer",
    [CLAIM.replace("chữa được", "không chữa được"), "Tin giả: " + CLAIM, "TIN GIA: " + PLAIN, CLAIM + ". Đừng tin!"],
)
def test_a_claim_and_its_answer_are_never_copies(answer: str) -> None:
    assert jaccard(CLAIM, answer) >= 0.8
    assert not are_copies(CLAIM, "repeats", answer, "repeats")


@pytest.mark.parametrize(
    "copy", [CLAIM, PLAIN, CLAIM.upper(), "😱 " + CLAIM.replace(",", " …") + " 🙏!!!", CLAIM + " nhé"]
)
def test_emoji_punctuation_and_marks_leave_a_copy_a_copy(copy: str) -> None:
    assert are_copies(CLAIM, "repeats", copy, "repeats")
    assert not set(bands(CLAIM)).isdisjoint(bands(copy))


def test_another_stance_makes_no_copy() -> None:
    assert not are_copies(CLAIM, "repeats", CLAIM, "asks")
    assert are_copies(CLAIM, None, CLAIM, None)


def test_the_threshold_is_inclusive() -> None:
    assert jaccard("a b c d e f", "a b c d e g") == pytest.approx(0.6)
    assert are_copies("a b c d e f", None, "a b c d e g", None, threshold=0.6)
    assert not are_copies("a b c d e f", None, "a b c d e g", None)


@pytest.mark.parametrize(("a", "b", "share"), [("", "", 0), ("a b", "b a", 1), ("a", "a b", 0.5), ("a b c", "", 0)])
def test_short_texts_are_compared_by_word(a: str, b: str, share: float) -> None:
    assert jaccard(a, b) == share


def test_a_text_without_words_has_no_bands() -> None:
    assert bands("😀 !") == ()


def test_band_keys_are_the_same_in_every_version() -> None:
    assert bands("Uống nước chanh chữa được covid")[:3] == ("00:33bbb18f04", "01:5daecb837a", "02:5c3e7011c7")


@given(st.text(st.characters()))
def test_any_text_has_sixteen_bands_or_none(text: str) -> None:
    keys = bands(text)
    assert len(keys) in {0, 16}
    assert all(re.fullmatch(rf"{n:02d}:[0-9a-f]{{10}}", key) for n, key in enumerate(keys))


@given(st.permutations(range(40)), st.integers(0, 39))
def test_texts_that_differ_in_one_word_of_forty_share_a_band(numbers: list[int], place: int) -> None:
    words = [f"w{n}" for n in numbers]
    other = [*words[:place], "x", *words[place + 1 :]]
    assert not set(bands(" ".join(words))).isdisjoint(bands(" ".join(other)))


def test_unlike_texts_rarely_share_a_band() -> None:
    texts = [" ".join(f"w{n * 31 + m}" for m in range(30)) for n in range(100)]
    first = set(bands(texts[0]))
    assert all(first.isdisjoint(bands(text)) for text in texts[1:])
