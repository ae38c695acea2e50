"""What a search page shows of a text, and which words it marks."""

import pytest

from claimwatch.text.passages import found, passage


def marked(text: str, words: str) -> list[str]:
    return [text[start:end] for start, end in found(text, words)]


@pytest.mark.parametrize(
    ("text", "words", "expected"),
    [
        ("Tỏi chữa được COVID-19", "toi COVID", ["Tỏi", "COVID"]),
        ("Đừng tin: đu đủ chữa bệnh", "du du", ["Đừng", "đu", "đủ"][1:]),
        ("Uống nước chanh", "nước chan", ["nước", "chanh"]),  # the last word may go on
        ("Uống nước chanh", "nướ chanh", ["chanh"]),  # an earlier one may not
        ("tin_giả", "gia", ["giả"]),
        ("Tỏi", "", []),
        ("Tỏi", "?!", []),
    ],
)
def test_words_are_found_with_and_without_diacritics(text: str, words: str, expected: list[str]) -> None:
    assert marked(text, words) == expected


def test_a_passage_begins_near_the_first_word_found() -> None:
    text = "mở đầu " * 60 + "uống tỏi sống mỗi ngày " + "kết thúc " * 60
    pieces = passage(text, "tỏi", 120)
    assert ("tỏi", True) in pieces
    shown = "".join(piece for piece, _ in pieces)
    assert shown.startswith("…")
    assert shown.endswith("…")
    assert shown.strip("…") in " ".join(text.split())
    assert len(shown) <= 122


@pytest.mark.parametrize("length", [1, 7, 40, 120, 5000])
@pytest.mark.parametrize("words", ["tỏi", "vắng", ""])
def test_a_passage_is_a_part_of_the_text(length: int, words: str) -> None:
    text = "Một câu dài\nnói rằng tỏi " + "x" * 300 + " hết"
    shown = "".join(piece for piece, _ in passage(text, words, length))
    assert shown.strip("…") in " ".join(text.split())
    assert shown
