"""What fine-tuning changed: low-rank differences to the encoder's layers, and a last layer. A few megabytes."""

import hashlib
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from claimwatch.errors import ConfigError
from classifier.base_file import Floats
from classifier.cache import alone, full_disk_explained, write_whole
from classifier.encoder import Encoder, Tower, open_session
from classifier.graph import layer_of, quantise, read_layers, write_tower

#: In a model's folder, beside its heads.
FILE = "adapter.safetensors"
#: Beside them while a training is not finished: what it goes on from.
CHECKPOINT = "training.pt"
#: Raise it when a tower's graph changes: those in the cache are then written anew.
_VERSION = 2
#: Towers kept in the cache; each takes as much room as its layers, 7 MB for each of the real base, a quarter in int8.
_KEPT = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapter:
    """Low-rank adaptation (Hu et al. 2021) of linear layers, its scale included, and the layer of outputs."""

    pairs: Mapping[str, tuple[Floats, Floats]]  #: by layer: down [rank, inputs] and up [outputs, rank]
    out: tuple[Floats, Floats]  #: weights [outputs, hidden] and bias [outputs] over the mean of the last states

    @property
    def start(self) -> int:
        """The lowest layer that was tuned."""
        return min(map(layer_of, self.pairs))

    def merged(self, weights: Mapping[str, Floats]) -> dict[str, Floats]:
        """The weights of the layers that were tuned, with the differences in them, and `out`."""
        tuned = {layer_of(name) for name in self.pairs}
        whole = {name: one for name, one in weights.items() if layer_of(name) in tuned}
        for name, (down, up) in self.pairs.items():
            whole[f"{name}.weight"] = whole[f"{name}.weight"] + up @ down
        whole["out.weight"], whole["out.bias"] = self.out
        return whole


def save_adapter(adapter: Adapter, folder: Path) -> None:
    """Write it in half precision."""
    from safetensors.numpy import save_file

    tensors = {"out.weight": adapter.out[0], "out.bias": adapter.out[1]}
    for name, (down, up) in adapter.pairs.items():
        tensors |= {f"{name}.down": down, f"{name}.up": up}
    folder.mkdir(parents=True, exist_ok=True)
    save_file({name: np.ascontiguousarray(one, np.float16) for name, one in tensors.items()}, folder / FILE)


def load_adapter(folder: Path) -> Adapter:
    """What `save_adapter` wrote. ConfigError where it is missing or damaged."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        tensors = {name: one.astype(np.float32) for name, one in load_file(folder / FILE).items()}
        names = [name.removesuffix(".down") for name in tensors if name.endswith(".down")]
        pairs = {name: (tensors[f"{name}.down"], tensors[f"{name}.up"]) for name in names}
        return Adapter(pairs=pairs, out=(tensors["out.weight"], tensors["out.bias"]))
    except (OSError, KeyError, SafetensorError) as error:
        raise ConfigError(f"{folder / FILE}: is damaged: put the model's folder back or train it again") from error


def open_tower(folder: Path, encoder: Encoder, cache: Path, threads: int | None = None) -> Tower:
    """The tower of a model's folder in this encoder's variant, written into the cache where it is not there yet."""
    try:
        key = hashlib.sha256((folder / FILE).read_bytes()).hexdigest()[:12]
    except OSError as error:
        raise ConfigError(f"{folder / FILE}: cannot be read ({error.strerror}): put the model's folder back") from error
    place = cache / "encoder" / "towers" / f"{encoder.key}-{key}-{_VERSION}"
    if not place.is_dir():
        _build(load_adapter(folder), encoder, place)
    if encoder.variant == "int8":
        small = place.with_name(f"{place.name}-int8")
        if not small.is_dir():
            with alone(place.parent):
                write_whole(small, lambda draft: quantise(place / "model.onnx", draft))
        place = small
    return Tower(open_session(place / "model.onnx", threads))


def _build(adapter: Adapter, encoder: Encoder, place: Path) -> None:
    """Whole or not at all, one process at a time; the oldest towers make room."""
    try:
        weights = adapter.merged(read_layers(encoder.float32, encoder.shape, adapter.start))
    except (KeyError, ValueError) as error:
        raise ConfigError("this model was fine-tuned on another encoder: train it again") from error
    size = sum(one.nbytes for one in weights.values())
    with full_disk_explained(place.parent, "the fine-tuned layers", size), alone(place.parent):
        write_whole(place, lambda draft: write_tower(weights, encoder.shape, draft))
        older = sorted((one for one in place.parent.iterdir() if one.is_dir()), key=lambda one: one.stat().st_mtime)
        for one in older[:-_KEPT]:
            shutil.rmtree(one, ignore_errors=True)
