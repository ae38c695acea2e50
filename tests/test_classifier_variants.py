"""Building: once, whole or not at all, and int8 only where it is worth it."""

import errno
import json
import threading
from pathlib import Path

import numpy as np
import pytest

from claimwatch.errors import ConfigError
from classifier import variants
from classifier.base_file import Floats, Shape
from classifier.encoder import Encoder
from classifier.graph import write_graph
from classifier.measure import Figures
from classifier.variants import build
from tiny_model import TINY_BASE, tiny_encoder_folder


def _build(cache: Path, only: str | None = None, base: Path = TINY_BASE) -> Path:
    return build(cache, base=base, sha256=None, only=only)


def _note(cache: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads((cache / "variant.json").read_text(encoding="utf-8"))
    return found


def _int8_pays(monkeypatch: pytest.MonkeyPatch, pays: bool) -> None:
    monkeypatch.setattr(variants, "int8_may_pay", lambda: pays)


def _figures(int8_speed: float) -> Figures:
    return Figures(
        posts_per_second={"float32": 80.0, "int8": int8_speed},
        mean_cosine=0.997,
        worst_cosine=0.99,
        steady_cosine=0.995,
    )


def test_a_second_build_does_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny_encoder_folder(tmp_path)
    monkeypatch.setattr(variants, "load_base", lambda *_: pytest.fail("read the base again"))
    tiny_encoder_folder(tmp_path)
    assert Encoder.open(tmp_path).encode(["a"]).shape == (1, 64)


def test_without_byte_instructions_int8_is_not_built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _int8_pays(monkeypatch, pays=False)
    _build(tmp_path)
    assert _note(tmp_path)["chosen"] == "float32"
    assert not list(tmp_path.glob("*/int8*"))


@pytest.mark.parametrize(("speed", "chosen"), [(200.0, "int8"), (81.0, "float32")])
def test_with_byte_instructions_the_measured_figures_choose(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, speed: float, chosen: str
) -> None:
    _int8_pays(monkeypatch, pays=True)
    monkeypatch.setattr(variants, "compare", lambda *_: _figures(speed))
    _build(tmp_path)
    note = _note(tmp_path)
    assert note["chosen"] == chosen
    assert note["figures"] == _figures(speed).as_dict()
    assert Encoder.open(tmp_path).name.endswith(chosen)


def test_another_processor_chooses_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _int8_pays(monkeypatch, pays=True)
    monkeypatch.setattr(variants, "compare", lambda *_: _figures(200.0))
    _build(tmp_path)
    _int8_pays(monkeypatch, pays=False)
    _build(tmp_path)
    assert _note(tmp_path)["chosen"] == "float32"


def test_int8_is_near_float32_and_can_be_asked_for(tmp_path: Path) -> None:
    _build(tmp_path, only="int8")
    small, true = Encoder.open(tmp_path), Encoder.open(tmp_path, variant="float32")
    texts = ["nước chanh chữa khỏi covid", "the vaccine is safe", "mưa"]
    cosines = (small.encode(texts) * true.encode(texts)).sum(axis=1)
    assert small.name.endswith("/int8")
    assert 0.9 < cosines.min() < 1 - 1e-7
    assert sorted(file.name for file in tmp_path.glob("*/int8/*")) == ["model.onnx"]
    assert sorted(file.name for file in tmp_path.glob("*/float32/*")) == ["model.onnx", "weights.bin"]


def test_asking_for_one_variant_keeps_the_measured_choice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _int8_pays(monkeypatch, pays=False)
    _build(tmp_path)
    before = _note(tmp_path)
    _build(tmp_path, only="int8")
    assert _note(tmp_path) == before


def test_what_was_asked_for_first_is_measured_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _int8_pays(monkeypatch, pays=True)
    monkeypatch.setattr(variants, "compare", lambda *_: _figures(200.0))
    _build(tmp_path, only="float32")
    assert _note(tmp_path)["chosen"] == "float32"
    _build(tmp_path)
    assert _note(tmp_path)["chosen"] == "int8"


def test_an_unknown_variant_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="use float32 or int8"):
        _build(tmp_path / "new", only="int4")
    assert not (tmp_path / "new").exists()


def test_a_build_killed_half_way_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(_weights: object, _shape: object, folder: Path) -> None:
        (folder / "model.onnx").write_bytes(b"half")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(variants, "write_graph", killed)
        with pytest.raises(KeyboardInterrupt):
            tiny_encoder_folder(tmp_path)
    assert list(tmp_path.glob("*/float32.part/model.onnx"))
    with pytest.raises(ConfigError, match="claimwatch model build"):
        Encoder.open(tmp_path)
    tiny_encoder_folder(tmp_path)
    assert np.isfinite(Encoder.open(tmp_path).encode(["a"])).all()
    assert not list(tmp_path.rglob("*.part"))


def test_a_full_disk_names_the_folder_and_the_bytes_and_leaves_no_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_weights: object, _shape: object, folder: Path) -> None:
        (folder / "weights.bin").write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(variants, "write_graph", full)
    with pytest.raises(ConfigError, match=r"disk is full.*620,000,000 bytes.*CLAIMWATCH_CACHE") as told:
        tiny_encoder_folder(tmp_path)
    assert str(tmp_path) in str(told.value)
    assert not list(tmp_path.glob("*/float32*"))


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"cannot be built here.*CLAIMWATCH_CACHE"):
        tiny_encoder_folder(tmp_path / "file")


def test_two_builds_at_once_make_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Path] = []

    def counted(weights: dict[str, Floats], shape: Shape, folder: Path) -> Path:
        made.append(folder)
        return write_graph(weights, shape, folder)

    monkeypatch.setattr(variants, "write_graph", counted)
    builders = [threading.Thread(target=tiny_encoder_folder, args=(tmp_path,)) for _ in range(4)]
    for builder in builders:
        builder.start()
    for builder in builders:
        builder.join()
    assert len(made) == 1


def test_a_new_base_replaces_the_old_one(tmp_path: Path) -> None:
    tiny_encoder_folder(tmp_path)
    (old,) = tmp_path.glob("*-*")
    other = tmp_path / "other.bin"
    other.write_bytes(TINY_BASE.read_bytes()[:-1] + b"\x99")
    _build(tmp_path, only="float32", base=other)
    (new,) = tmp_path.glob("*-*")
    assert new != old
    assert Encoder.open(tmp_path).encode(["a"]).shape == (1, 64)


def test_progress_goes_up_to_its_total(tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    build(tmp_path, lambda *step: told.append(step), base=TINY_BASE, sha256=None, only="int8")
    assert [done for _, done, _ in told] == [0, 1, 2, 3]
    assert {total for *_, total in told} == {3}
