"""Tokens: the same for the same text however it was typed, bounded, and equal to the base engine's."""

import unicodedata
from pathlib import Path

import pytest

from claimwatch.errors import ConfigError
from classifier.base_file import Vocabulary, load_base
from classifier.tokenizer import Tokenizer
from tiny_model import TINY_BASE


@pytest.fixture(scope="module", name="vocabulary")
def _vocabulary() -> Vocabulary:
    return load_base(TINY_BASE, None).vocabulary


@pytest.fixture(scope="module", name="tokenizer")
def _tokenizer(vocabulary: Vocabulary) -> Tokenizer:
    return Tokenizer(vocabulary)


def test_words_become_their_pieces_between_start_and_end(tokenizer: Tokenizer, vocabulary: Vocabulary) -> None:
    (ids,) = tokenizer.encode(["uống nước chanhx"], 256)
    assert [vocabulary.pieces[one] for one in ids] == ["<s>", "▁uống", "▁nước", "▁chanh", "x", "</s>"]


@pytest.mark.parametrize(
    "typed",
    [
        unicodedata.normalize("NFD", "vắc xin"),
        "ｖắｃ　ｘｉｎ",
        "  vắc \t\n xin \u00a0",
        "vắc\x00 xin\x01",
    ],
)
def test_one_text_typed_in_many_ways_has_the_same_tokens(tokenizer: Tokenizer, typed: str) -> None:
    assert tokenizer.encode([typed], 256) == tokenizer.encode(["vắc xin"], 256)


def test_a_long_text_is_cut_and_keeps_its_end_mark(tokenizer: Tokenizer) -> None:
    whole, cut = tokenizer.encode(["nước chanh " * 20], 256)[0], tokenizer.encode(["nước chanh " * 20], 8)[0]
    assert len(whole) == 42
    assert cut == [*whole[:7], 2]


def test_a_book_costs_no_more_than_its_beginning(tokenizer: Tokenizer) -> None:
    assert tokenizer.encode(["covid" * 1_000_000], 16) == tokenizer.encode(["covid" * 100], 16)


@pytest.mark.parametrize("text", ["", " ", "\x00", "\u200b"])
def test_an_empty_text_still_has_its_marks(tokenizer: Tokenizer, text: str) -> None:
    (ids,) = tokenizer.encode([text], 256)
    assert (ids[0], ids[-1]) == (0, 2)


def test_half_a_character_and_unknown_script_are_no_error(tokenizer: Tokenizer) -> None:
    assert tokenizer.encode(["a \ud83d b", "a ☃ b"], 256)[0] == tokenizer.encode(["a ☃ b"], 256)[0]


def test_unknown_characters_in_a_row_are_one_token(tokenizer: Tokenizer) -> None:
    assert tokenizer.encode(["☃☃☃"], 256) == tokenizer.encode(["☃"], 256)


def test_a_mark_that_a_post_spells_out_is_ordinary_text(tokenizer: Tokenizer) -> None:
    (ids,) = tokenizer.encode(["</s> <mask> <pad>"], 256)
    assert {0, 1, 2}.isdisjoint(ids[1:-1])
    assert len(ids) > 10


def test_of_two_ways_to_cut_a_word_the_likelier_is_taken() -> None:
    pieces, scores = ("<s>", "<pad>", "</s>", "<unk>", "▁", "a", "b", "▁a", "ab"), (0, 0, 0, 0, -2, -3, -3, -4, -1.5)
    toy = Tokenizer(Vocabulary(pieces=pieces, scores=scores, bos=0, eos=2, pad=1, unk=3, table={}))
    assert toy.encode(["ab"], 8) == [[0, 4, 8, 2]]  # -2 - 1.5 beats -4 - 3


def test_a_saved_tokenizer_loads_as_it_was(tokenizer: Tokenizer, tmp_path: Path) -> None:
    tokenizer.save(tmp_path)
    texts = ["５Ｇ lây lan vi-rút!!! 😷", "a \ud83d b", "covid " * 300]
    assert Tokenizer.load(tmp_path).encode(texts, 64) == tokenizer.encode(texts, 64)


def test_a_folder_without_a_tokenizer_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="delete the folder"):
        Tokenizer.load(tmp_path)


@pytest.mark.parametrize("damage", ["", "{}", "[]", '{"table": {}}', '{"table": []}'])
def test_a_damaged_tokenizer_is_told(tokenizer: Tokenizer, tmp_path: Path, damage: str) -> None:
    tokenizer.save(tmp_path)
    (tmp_path / "tokenizer.json").write_text(damage, encoding="utf-8")
    with pytest.raises(ConfigError, match="delete the folder"):
        Tokenizer.load(tmp_path)
