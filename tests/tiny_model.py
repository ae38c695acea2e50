"""A real E5S1 file of toy size, with random weights: its encoder works, and likens texts that share words."""

import io
import string
import struct
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from classifier.variants import build

TINY_BASE = Path(__file__).with_name("data") / "model" / "tiny-e5.bin"
_WORDS = TINY_BASE.with_name("words.txt")

HIDDEN, LAYERS, HEADS, WIDE, POSITIONS, TYPES = 64, 2, 4, 128, 256, 2
_SPECIAL = ("<s>", "<pad>", "</s>", "<unk>")
_ONSETS = " b c ch d đ g gh gi h k kh l m n ng ngh nh ph qu r s t th tr v x"
_RIMES = (
    "a à á ả ã ạ ai ại ải an án ang àng ăm ăn ắc ầu ân ất ay ây e ẻ em ên ết ê ệ i ì ị ình in it iên iết o ó ò ọ "
    "ôi ồi ông ộng ơi ời ở ới u ú ù ủ ung uốc ương ướng ước ưa ừ ữ"
)
_MARKS = "àáảãạăằắẳẵặâầấẩẫậèéẻẽẹêềếểễệìíỉĩịòóỏõọôồốổỗộơờớởỡợùúủũụưừứửữựỳýỷỹỵđ"
_SPACES = (9, 10, 13, 0xA0, 0x2003, 0x3000)
_SEED = 7


def tiny_encoder_folder(tmp: Path) -> Path:
    """A folder that `Encoder.open` opens, with the tiny float32 encoder; a fraction of a second."""
    return build(tmp, base=TINY_BASE, sha256=None, only="float32")


def tiny_base() -> bytes:
    """The content of tiny-e5.bin; the same on every machine."""
    head = io.BytesIO()
    pieces = _pieces()
    rows = len(pieces) + 5  # like the real one: more rows than pieces
    head.write(struct.pack("<4sI", b"E5S1", 1))
    head.write(struct.pack("<7ifi", HIDDEN, LAYERS, HEADS, WIDE, rows, POSITIONS, TYPES, 1e-12, 32))
    head.write(_vocabulary(pieces))
    head.write(_table())
    tensors = list(_tensors(rows))
    directory_size = 4 + sum(2 + len(name) + 21 for name, *_ in tensors)
    return head.getvalue() + _directory(tensors, head.tell() + directory_size) + b"".join(data for *_, data in tensors)


def _pieces() -> dict[str, float]:
    """Pieces with their log probabilities, in id order: whole words likelier than syllables, those than letters."""
    pieces = dict.fromkeys(_SPECIAL, 0.0)
    for word in _WORDS.read_text(encoding="utf-8").split():
        pieces.setdefault(f"▁{word}", -8.0)
    for onset in _ONSETS.split(" "):
        for rime in _RIMES.split():
            pieces.setdefault(f"▁{onset}{rime}", -9.0)
    letters = string.ascii_letters + string.digits + string.punctuation + _MARKS + _MARKS.upper() + "▁"
    for letter in letters:
        pieces.setdefault(letter, -10.0)
    for word in ("query", "passage", "covid"):
        pieces.setdefault(f"▁{word}", -8.0)
    return pieces | {"<mask>": 0.0}


def _vocabulary(pieces: dict[str, float]) -> bytes:
    coded = [piece.encode() for piece in pieces]
    ends = np.cumsum([0, *map(len, coded)]).astype("<u4")
    scores = np.array(list(pieces.values()), "<f4")
    blob = b"".join(coded)
    ids = struct.pack("<5iQ", len(pieces), 0, 2, 1, 3, len(blob))
    return ids + ends.tobytes() + scores.tobytes() + blob


def _table() -> bytes:
    """Spaces of all kinds become one, controls vanish, full-width forms become plain."""
    table: dict[int, str] = dict.fromkeys(range(1, 9), "") | dict.fromkeys(_SPACES, " ")
    wide = map(chr, range(0xFF01, 0xFF5F))
    table |= {ord(form): unicodedata.normalize("NFKC", form) for form in wide}
    rows = b"".join(
        struct.pack(f"<IB{len(text)}I", point, len(text), *map(ord, text)) for point, text in sorted(table.items())
    )
    return struct.pack("<iI", len(table), len(rows)) + rows


def _tensors(rows: int) -> Iterator[tuple[str, int, int, bytes]]:
    """Name, kind (0 plain, 1 packed), how many numbers, the bytes."""
    chance = np.random.RandomState(_SEED)  # the generator whose stream numpy promises never to change
    yield _packed(chance, "emb.word", rows * HIDDEN, 0.1)
    yield _plain("emb.pos", chance.randint(-100, 101, POSITIONS * HIDDEN) / 1000)
    yield _plain("emb.type", chance.randint(-100, 101, TYPES * HIDDEN) / 1000)
    yield from _norm("emb.ln")
    sizes = {"q": (HIDDEN, HIDDEN), "k": (HIDDEN, HIDDEN), "v": (HIDDEN, HIDDEN), "ao": (HIDDEN, HIDDEN)}
    for layer in range(LAYERS):
        for name, (out, into) in (sizes | {"fi": (WIDE, HIDDEN), "fo": (HIDDEN, WIDE)}).items():
            yield _packed(chance, f"l{layer}.{name}.w", out * into, 0.02)
            yield _plain(f"l{layer}.{name}.b", chance.randint(-50, 51, out) / 1000)
        yield from _norm(f"l{layer}.aln")
        yield from _norm(f"l{layer}.oln")


def _norm(name: str) -> Iterator[tuple[str, int, int, bytes]]:
    yield _plain(f"{name}.w", np.ones(HIDDEN))
    yield _plain(f"{name}.b", np.zeros(HIDDEN))


def _plain(name: str, values: NDArray[np.float64]) -> tuple[str, int, int, bytes]:
    return name, 0, values.size, values.astype("<f4").tobytes()


def _packed(chance: np.random.RandomState, name: str, count: int, scale: float) -> tuple[str, int, int, bytes]:
    blocks = np.empty(count // 32, np.dtype([("scale", "<f2"), ("nibbles", "u1", 16)]))
    blocks["scale"] = scale * (1 + np.arange(len(blocks)) % 3 / 4)  # differing, as real ones do
    low, high = (chance.randint(1, 16, (len(blocks), 16)) for _ in range(2))  # 1 to 15 is even about 8
    blocks["nibbles"] = low | high << 4
    return name, 1, count, blocks.tobytes()


def _directory(tensors: list[tuple[str, int, int, bytes]], start: int) -> bytes:
    entries = [struct.pack("<i", len(tensors))]
    for name, kind, count, data in tensors:
        entries.append(struct.pack(f"<H{len(name)}s", len(name), name.encode()))
        entries.append(struct.pack("<BIQQ", kind, count, start, len(data)))
        start += len(data)
    return b"".join(entries)
