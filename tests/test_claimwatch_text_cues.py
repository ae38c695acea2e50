"""Words that turn a claim round."""

import pytest

from claimwatch.text.cues import differ_by_cue

CLAIM = "Uống nước chanh nóng chữa được bệnh này, bà con sử dụng mỗi ngày"
PLAIN = "Uong nuoc chanh nong chua duoc benh nay, ba con su dung moi ngay"


@pytest.mark.parametrize(
    "answer",
    [
        "Uống nước chanh nóng không chữa được bệnh này, bà con sử dụng mỗi ngày",
        "Tin giả: " + CLAIM,
        CLAIM + ". Đừng tin!",
        CLAIM + " là sai sự thật",
        "Bộ Y tế bác bỏ: " + CLAIM,
        CLAIM + " fake nha",
        CLAIM + " ko có đâu",
    ],
)
def test_an_answer_differs_by_a_cue(answer: str) -> None:
    assert differ_by_cue(CLAIM, answer)
    assert differ_by_cue(answer, CLAIM)


@pytest.mark.parametrize("answer", ["khong " + PLAIN, "TIN GIA: " + PLAIN, PLAIN + " dung tin", PLAIN + " tin don"])
def test_an_answer_without_marks_differs_by_a_cue(answer: str) -> None:
    assert differ_by_cue(CLAIM, answer)
    assert differ_by_cue(PLAIN, answer)


@pytest.mark.parametrize(
    "answer", ["this does not cure it", "this doesn’t cure it", "this cures it: a myth", "HOAX this"]
)
def test_english_cues_are_read(answer: str) -> None:
    assert differ_by_cue("this cures it", answer)


@pytest.mark.parametrize(
    "other",
    [
        CLAIM.upper() + "!!! 😀",
        PLAIN,
        CLAIM.replace("ngày", "tối"),
        CLAIM + " trong không khí mát",
        CLAIM + ", nội dung hay",
        PLAIN + " tac dung tot",
        "Gia đình tôi " + CLAIM,
    ],
)
def test_other_words_are_no_cue(other: str) -> None:
    assert not differ_by_cue(CLAIM, other)


def test_a_cue_that_both_hold_makes_no_difference() -> None:
    assert not differ_by_cue("đừng uống nước lạnh buổi sáng", "đừng uống nước lạnh buổi tối")


def test_a_cue_that_moves_makes_one() -> None:
    assert differ_by_cue("thuốc A không hại, thuốc B hại", "thuốc A hại, thuốc B không hại")


def test_long_texts_are_compared_as_heaps() -> None:
    one, other = "a b c d e f g h " * 200, "b a d c f e h g " * 200
    assert not differ_by_cue(one, other)
    assert differ_by_cue(one, other + "không a")
