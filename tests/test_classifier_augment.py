"""Other wordings keep the words of a text recognisable, and are the same for the same seed."""

import unicodedata

import numpy as np

from claimwatch.text.fold import fold, unmarked
from classifier.augment import altered, slipped, teen_code

TEXT = "Mọi người ơi, uống nước gừng không chữa được covid đâu, em biết rồi nhé. Đừng tin!"


def chance(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_unmarked_text_is_plain_latin_and_folds_alike() -> None:
    assert unmarked(TEXT).isascii()
    assert fold(unmarked(TEXT)) == fold(TEXT)
    assert unmarked("Đường").startswith("D")


def test_teen_code_shortens_whole_words_only() -> None:
    found = teen_code("không được không khí người", chance(2))
    assert found != "không được không khí người"
    assert "khí" in found
    assert teen_code("khôngkhí", chance()) == "khôngkhí"


def test_slips_touch_few_letters_and_no_blank() -> None:
    found = slipped(TEXT * 5, chance())
    assert found != TEXT * 5
    assert abs(len(found) - len(TEXT * 5)) < len(TEXT * 5) * 0.08
    assert found.count(" ") == (TEXT * 5).count(" ")


def test_the_same_seed_alters_alike_and_every_kind_occurs() -> None:
    first, again = chance(3), chance(3)
    assert [altered(TEXT, first) for _ in range(20)] == [altered(TEXT, again) for _ in range(20)]
    wordings = {altered(TEXT, chance(seed)) for seed in range(60)}
    assert any(one.isascii() for one in wordings)
    assert any(not one.isascii() for one in wordings)
    assert all(unicodedata.is_normalized("NFC", one) for one in wordings)
