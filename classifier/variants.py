"""Building the encoder for this machine: float32 always, int8 where the processor makes it pay and it proves right."""

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict
from hashlib import sha256 as digest
from pathlib import Path
from typing import Any

from claimwatch.errors import ConfigError

from .base_file import BASE_SHA256, BaseModel, find_base, load_base
from .cache import alone, full_disk_explained, write_whole
from .encoder import Encoder
from .graph import GRAPH_VERSION, quantise, write_graph
from .measure import Figures, choose, compare, int8_may_pay
from .tokenizer import Tokenizer

VARIANTS = ("float32", "int8")
#: What a build of the real base writes: 470 MB in float32, 118 in int8, the tokenizer.
_BYTES = 620_000_000

Progress = Callable[[str, int, int], None]


def build(
    cache: Path,
    progress: Progress = lambda *_: None,
    *,
    base: Path | None = None,
    sha256: str | None = BASE_SHA256,
    only: str | None = None,
) -> Path:
    """Make ready what `Encoder.open(cache)` opens, unless it is; returns `cache`.

    Every part is written beside its place and moved there whole, one process at a time, so a killed build leaves
    nothing that the next one would trust. `only` builds one variant and measures nothing.
    """
    if only is not None and only not in VARIANTS:
        raise ConfigError(f"{only!r} is not a variant of the encoder: use {' or '.join(VARIANTS)}")
    key = f"{(sha256 or _digest(base))[:12]}-{GRAPH_VERSION}"
    if _is_ready(cache, key, only):
        return cache
    with full_disk_explained(cache, "the encoder", _BYTES), alone(cache):
        if not _is_ready(cache, key, only):
            _Workshop(cache, key, progress).make(base, sha256, only)
    return cache


class _Workshop:
    """One build, under the lock."""

    def __init__(self, cache: Path, key: str, progress: Progress) -> None:
        self._cache = cache
        self._home = cache / key
        self._progress = progress

    def make(self, base: Path | None, sha256: str | None, only: str | None) -> None:
        int8 = only == "int8" or (only is None and int8_may_pay())
        steps = 4 if int8 and only is None else 3 if int8 else 2
        self._progress("reading the base", 0, steps)
        # The base itself, half a gigabyte, is let go before quantising, which needs four times that.
        about = self._write_base(load_base(base, sha256), steps)
        if int8:
            self._progress("int8", 2, steps)
            self._part("int8", lambda folder: quantise(self._home / "float32" / "model.onnx", folder))
        self._settle(about, only, measure=int8 and only is None)
        self._progress("ready", steps, steps)

    def _write_base(self, loaded: BaseModel, steps: int) -> dict[str, Any]:
        self._progress("float32", 1, steps)
        self._home.mkdir(exist_ok=True)
        self._part("tokenizer", Tokenizer(loaded.vocabulary).save)
        self._part("float32", lambda folder: write_graph(loaded.weights, loaded.shape, folder))
        return {"key": self._home.name, "name": loaded.name, "shape": asdict(loaded.shape)}

    def _settle(self, about: dict[str, Any], only: str | None, *, measure: bool) -> None:
        """Write which variant is served and why. An earlier measured choice outlives a build of one variant."""
        kept = _read(self._cache)
        if only is not None and kept.get("key") == self._home.name:
            return
        note = about | {"int8_may_pay": int8_may_pay(), "asked": only}
        self._keep(note | {"chosen": only or "float32", "why": "asked for" if only else "no int8 instructions"})
        if measure:
            self._progress("measuring", 3, 4)
            figures = self._measured()
            chosen, why = choose(figures)
            self._keep(note | {"chosen": chosen, "why": why, "figures": figures.as_dict()})
        self._drop_others()

    def _measured(self) -> Figures:
        return compare(Encoder.open(self._cache, variant="float32"), Encoder.open(self._cache, variant="int8"))

    def _part(self, name: str, write: Callable[[Path], object]) -> None:
        write_whole(self._home / name, write)

    def _keep(self, note: dict[str, Any]) -> None:
        draft = self._cache / "variant.json.part"
        draft.write_text(json.dumps(note, indent=1), encoding="utf-8")
        draft.rename(self._cache / "variant.json")

    def _drop_others(self) -> None:
        """An older base or graph is of no use; a process that still serves it keeps its open files."""
        for other in self._cache.iterdir():
            if other.is_dir() and other not in (self._home, self._cache / "towers"):
                shutil.rmtree(other, ignore_errors=True)


def _is_ready(cache: Path, key: str, only: str | None) -> bool:
    note = _read(cache)
    if note.get("key") != key:
        return False
    if only is not None:
        return (cache / key / only).is_dir()
    measured = "figures" in note or not note["int8_may_pay"]
    return note["asked"] is None and note["int8_may_pay"] == int8_may_pay() and measured


def _digest(base: Path | None) -> str:
    file = base or find_base()
    try:
        return digest(file.read_bytes()).hexdigest()
    except OSError as error:
        raise ConfigError(f"{file}: the base encoder cannot be read ({error.strerror})") from error


def _read(cache: Path) -> dict[str, Any]:
    try:
        note: dict[str, Any] = json.loads((cache / "variant.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return note
