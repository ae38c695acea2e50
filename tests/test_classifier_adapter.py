"""The tower: what fine-tuning changed, merged into the layers above the fork, served beside the base."""

import errno
from pathlib import Path

import numpy as np
import pytest

from claimwatch.errors import ConfigError
from classifier.adapter import FILE, Adapter, load_adapter, open_tower, save_adapter
from classifier.encoder import Encoder
from classifier.graph import fork_of, read_layers
from classifier.variants import build
from tiny_model import HIDDEN, LAYERS, TINY_BASE, tiny_encoder_folder

TEXTS = ["nước chanh chữa khỏi covid", "", "hôm nay trời mưa to quá", "a"]
QUERY = f"encoder.layer.{LAYERS - 1}.attention.self.query"


@pytest.fixture(scope="module", name="cache")
def _cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    cache = tmp_path_factory.mktemp("cache")
    tiny_encoder_folder(cache / "encoder")
    return cache


@pytest.fixture(name="encoder")
def _encoder(cache: Path) -> Encoder:
    return Encoder.open(cache / "encoder", threads=1)


def adapter(size: float) -> Adapter:
    chance = np.random.default_rng(3)
    down, up = chance.normal(size=(2, HIDDEN)), size * chance.normal(size=(HIDDEN, 2))
    return Adapter(
        pairs={QUERY: (down.astype(np.float32), up.astype(np.float32))},
        out=(np.eye(HIDDEN, dtype=np.float32), np.zeros(HIDDEN, np.float32)),
    )


def said(encoder: Encoder, cache: Path, given: Adapter, folder: Path) -> tuple[np.ndarray, np.ndarray]:
    save_adapter(given, folder)
    vectors, told, _ = encoder.encode_with(open_tower(folder, encoder, cache, threads=1), TEXTS)
    return vectors, told


def test_a_tower_that_changed_nothing_says_what_the_base_says(encoder: Encoder, cache: Path, tmp_path: Path) -> None:
    vectors, means = said(encoder, cache, adapter(0.0), tmp_path)
    assert np.allclose(means / np.linalg.norm(means, axis=1, keepdims=True), vectors, atol=1e-4)
    assert np.allclose(vectors, encoder.encode(TEXTS), atol=1e-6)


def test_a_tower_that_changed_something_leaves_the_vectors_alone(encoder: Encoder, cache: Path, tmp_path: Path) -> None:
    vectors, means = said(encoder, cache, adapter(0.5), tmp_path)
    assert np.allclose(vectors, encoder.encode(TEXTS), atol=1e-6)
    assert np.abs(means / np.linalg.norm(means, axis=1, keepdims=True) - vectors).max() > 1e-2


def test_what_a_tower_says_does_not_depend_on_the_batch(encoder: Encoder, cache: Path, tmp_path: Path) -> None:
    _, together = said(encoder, cache, adapter(0.5), tmp_path)
    tower = open_tower(tmp_path, encoder, cache, threads=1)
    alone = np.concatenate([encoder.encode_with(tower, [text])[1] for text in TEXTS])
    assert np.allclose(together, alone, atol=1e-4)


def test_what_tokens_add_has_the_first_output_as_its_mean(encoder: Encoder, cache: Path, tmp_path: Path) -> None:
    save_adapter(adapter(0.5), tmp_path)
    tower = open_tower(tmp_path, encoder, cache, threads=1)
    _, told, by_token = encoder.encode_with(tower, TEXTS)
    assert [len(one) for one in by_token] == encoder.lengths(TEXTS)
    assert np.allclose([one.mean() for one in by_token], told[:, 0], atol=1e-4)


def test_what_a_word_adds_is_what_its_tokens_add_above_the_mean(encoder: Encoder) -> None:
    text = "tỏi chữa covid"
    count, before = (encoder.lengths([one])[0] for one in (text, "tỏi chữa"))
    by_token = np.zeros(count, np.float32)
    by_token[-2] = 1.0  # the last token before the mark at the end
    words = encoder.by_word(text, by_token)
    assert len(words) == 3
    assert words[2] == pytest.approx(1 - (count - before) / count, abs=1e-6)
    assert max(words[:2]) < 0
    assert encoder.by_word(text + " xa" * 400, by_token)[-1] == 0.0


def test_the_difference_is_the_product_of_both_matrices(encoder: Encoder) -> None:
    weights = read_layers(encoder.float32, encoder.shape, fork_of(LAYERS))
    given = adapter(0.5)
    down, up = given.pairs[QUERY]
    merged = given.merged(weights)
    assert set(merged) - set(weights) == {"out.weight", "out.bias"}
    assert [name for name, one in weights.items() if not np.array_equal(one, merged[name])] == [f"{QUERY}.weight"]
    assert np.allclose(given.merged(weights)[f"{QUERY}.weight"], weights[f"{QUERY}.weight"] + up @ down, atol=1e-5)


def test_the_layers_above_the_fork_are_read_as_they_were_written(encoder: Encoder) -> None:
    weights = read_layers(encoder.float32, encoder.shape, fork_of(LAYERS))
    assert {int(name.split(".")[2]) for name in weights} == set(range(fork_of(LAYERS), LAYERS))
    assert weights[f"{QUERY}.weight"].shape == (HIDDEN, HIDDEN)


def test_a_tower_has_the_layers_that_were_tuned_and_no_more(encoder: Encoder) -> None:
    weights = read_layers(encoder.float32, encoder.shape, fork_of(LAYERS))
    above = {name.replace(f".{LAYERS - 1}.", f".{LAYERS}."): one for name, one in weights.items()}
    merged = adapter(0.5).merged(weights | above)
    assert {name for name in merged if name.startswith("encoder.layer.")} == set(weights)


def test_an_encoder_in_bytes_gets_a_tower_in_bytes_that_says_much_the_same(tmp_path: Path) -> None:
    for variant in ("float32", "int8"):
        build(tmp_path / "encoder", base=TINY_BASE, sha256=None, only=variant)
    heard = {}
    for variant in ("float32", "int8"):
        encoder = Encoder.open(tmp_path / "encoder", variant=variant, threads=1)
        heard[variant] = said(encoder, tmp_path, adapter(0.5), tmp_path)[1]
    assert [one.name for one in (tmp_path / "encoder/towers").glob("*-int8")]
    apart = np.abs(heard["int8"] - heard["float32"]).max()
    assert 0 < apart < 0.1 * np.abs(heard["float32"]).max()


def test_an_adapter_is_kept_to_half_precision(tmp_path: Path) -> None:
    save_adapter(adapter(0.5), tmp_path)
    kept, given = load_adapter(tmp_path), adapter(0.5)
    assert np.allclose(kept.pairs[QUERY][1], given.pairs[QUERY][1], atol=1e-2)
    assert np.array_equal(kept.out[0], given.out[0])


def test_a_tower_is_written_once_and_the_oldest_make_room(encoder: Encoder, tmp_path: Path) -> None:
    for number in range(10):
        save_adapter(adapter(0.1 * number), tmp_path)
        open_tower(tmp_path, encoder, tmp_path / "cache", threads=1)
    kept = [one for one in (tmp_path / "cache" / "encoder" / "towers").iterdir() if one.is_dir()]
    assert len(kept) == 8


def test_a_damaged_adapter_is_one_clear_line(encoder: Encoder, cache: Path, tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"no tensors")
    with pytest.raises(ConfigError, match="train it again"):
        open_tower(tmp_path, encoder, cache)


def test_an_adapter_of_another_encoder_is_refused(encoder: Encoder, cache: Path, tmp_path: Path) -> None:
    strange = Adapter(pairs={"encoder.layer.99.output.dense": adapter(1.0).pairs[QUERY]}, out=adapter(1.0).out)
    save_adapter(strange, tmp_path)
    with pytest.raises(ConfigError, match="another encoder"):
        open_tower(tmp_path, encoder, cache)


def test_a_full_disk_is_one_clear_line_and_leaves_no_half_tower(
    encoder: Encoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    save_adapter(adapter(0.5), tmp_path)
    monkeypatch.setattr("classifier.adapter.write_tower", full)
    with pytest.raises(ConfigError, match="the disk is full; building the fine-tuned layers needs"):
        open_tower(tmp_path, encoder, tmp_path / "cache")
    assert [one.name for one in (tmp_path / "cache/encoder/towers").iterdir()] == ["lock"]
