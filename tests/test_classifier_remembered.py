"""The vectors of phrasings are read once for all processes, and nothing depends on their being kept."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from classifier import remembered as module
from classifier.encoder import Encoder
from classifier.remembered import remembered
from tiny_model import tiny_encoder_folder

TEXTS = ["tỏi chữa covid", "garlic cures covid", "trời hôm nay đẹp"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tiny_encoder_folder(tmp_path)


@pytest.fixture
def encoder(folder: Path) -> Encoder:
    return Encoder.open(folder)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts that the encoder was really given."""
    texts: list[str] = []
    really = Encoder.encode

    def encode(self: Encoder, given: Sequence[str], *more: Any) -> Any:
        texts.extend(given)
        return really(self, given, *more)

    monkeypatch.setattr(Encoder, "encode", encode)
    return texts


def kept_file(folder: Path) -> Path:
    (file,) = folder.glob("*/phrasings-*.npz")
    return file


def test_vectors_are_those_of_the_encoder_in_order_and_read_once(
    encoder: Encoder, folder: Path, read: list[str]
) -> None:
    expected = encoder.encode(TEXTS)
    read.clear()
    assert np.allclose(remembered(encoder, TEXTS), expected, atol=1e-6)
    assert read == TEXTS
    again = remembered(Encoder.open(folder), [TEXTS[2], TEXTS[0], TEXTS[2]])  # another process, as it were
    assert np.array_equal(again, remembered(encoder, TEXTS)[[2, 0, 2]])
    assert read == TEXTS
    remembered(encoder, ["một câu mới", *TEXTS])
    assert read == [*TEXTS, "một câu mới"]
    assert remembered(encoder, []).shape == (0, encoder.dimensions)


@pytest.mark.parametrize("rubbish", [b"", b"not an archive", b"PK\x03\x04 torn"])
def test_a_damaged_file_is_written_anew(
    encoder: Encoder, folder: Path, read: list[str], rubbish: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    first = remembered(encoder, TEXTS)
    kept_file(folder).write_bytes(rubbish)
    assert np.array_equal(remembered(encoder, TEXTS), first)
    assert "is damaged" in caplog.text
    read.clear()
    remembered(encoder, TEXTS)
    assert read == []


def test_vectors_of_another_size_are_not_used(encoder: Encoder, folder: Path, read: list[str]) -> None:
    remembered(encoder, TEXTS)
    np.savez(kept_file(folder), names=np.zeros((1, 16), np.uint8), vectors=np.zeros((1, 3), np.float32))
    read.clear()
    remembered(encoder, TEXTS)
    assert read == TEXTS


def test_where_nothing_can_be_kept_everything_still_works(
    encoder: Encoder, folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    expected = encoder.encode(TEXTS)
    monkeypatch.setattr("numpy.savez", full)
    assert np.allclose(remembered(encoder, TEXTS), expected, atol=1e-6)
    assert "cannot be kept (No space left on device)" in caplog.text
    assert list(folder.glob("*/*.part")) == list(folder.glob("*/phrasings*")) == []


def test_only_the_newest_are_kept(encoder: Encoder, monkeypatch: pytest.MonkeyPatch, read: list[str]) -> None:
    monkeypatch.setattr(module, "_MOST", 2)
    remembered(encoder, TEXTS[:2])
    remembered(encoder, TEXTS[1:])
    read.clear()
    remembered(encoder, TEXTS[1:])
    assert read == []
    remembered(encoder, TEXTS[:1])
    assert read == TEXTS[:1]
