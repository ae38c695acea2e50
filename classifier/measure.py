"""Whether the int8 encoder may be served here: is it right, is it steady, is it faster."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np

from .base_file import Floats
from .encoder import Encoder

#: Instructions that multiply bytes without saturating; without them int8 gains nothing and loses accuracy.
_BYTE_INSTRUCTIONS = {"avx512_vnni", "avx_vnni", "amx_int8"}
#: Instructions that multiply bfloat16 numbers; without them torch imitates it, far slower than float32.
_BFLOAT16_INSTRUCTIONS = {"avx512_bf16", "amx_bf16"}
_CPUINFO = Path("/proc/cpuinfo")
_MEAN_COSINE = 0.995
_WORST_COSINE = 0.98
#: int8 scales by the batch: a text's vector may move with its batch mates, but not by more than this.
_STEADY_COSINE = 0.985
#: Below this gain the loss of accuracy buys nothing.
_WORTH = 1.2

_SENTENCES = (
    "Uống nước gừng nóng mỗi sáng là hết ho, cả nhà thử đi nha.",
    "Sở y tế mở thêm ba điểm tiêm chủng từ thứ hai tuần sau.",
    "Có ai tiêm mũi nhắc lại xong bị sốt không ạ?",
    "tin nay sai roi nhe, benh vien da noi ro la khong co chuyen do",
    "Kẹt xe từ ngã tư tới chợ, trời mưa to, mọi người đi đường khác cho nhanh.",
    "Rửa tay bằng xà phòng đủ hai mươi giây, đeo khẩu trang nơi đông người và mở cửa cho thoáng 😷",
    "Garlic soup cures the flu overnight and doctors keep quiet about it!!!",
    "The ministry reported fewer dengue cases this month than in the same month last year.",
    "Is it safe to take both vaccines on the same day?",
    "No, masks do not lower the oxygen in your blood; surgeons wear them for hours.",
    "lovely sunset at the beach tonight 🌅",
    "Our local team won again, what a match, the keeper saved two penalties in the last minutes of extra time.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What a comparison of int8 with float32 found. Cosines are between a text's vectors."""

    posts_per_second: dict[str, float]
    mean_cosine: float
    worst_cosine: float
    steady_cosine: float  #: the worst between a text encoded alone and among others

    def as_dict(self) -> dict[str, object]:
        """For variant.json."""
        return asdict(self)


def int8_may_pay(cpuinfo: Path = _CPUINFO) -> bool:
    """Whether this processor multiplies bytes fast and without saturating."""
    return _has(_BYTE_INSTRUCTIONS, cpuinfo)


def multiplies_bfloat16(cpuinfo: Path = _CPUINFO) -> bool:
    """Whether this processor multiplies bfloat16 numbers by itself."""
    return _has(_BFLOAT16_INSTRUCTIONS, cpuinfo)


def _has(instructions: set[str], cpuinfo: Path) -> bool:
    try:
        lines = cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return False
    return any(instructions & set(line.split()) for line in lines if line.startswith("flags"))


def compare(float32: Encoder, int8: Encoder, rounds: int = 3) -> Figures:
    """Measure both on posts of mixed length; seconds, not minutes."""
    texts = sample()
    true, near = float32.encode(texts), int8.encode(texts)
    alone = np.concatenate([int8.encode([text]) for text in texts])
    cosines = (true * near).sum(axis=1)
    # In turns, so that other work on the machine slows both alike.
    seconds = [(_seconds(float32, texts), _seconds(int8, texts)) for _ in range(rounds)]
    slow, fast = (median(column) for column in zip(*seconds, strict=True))
    return Figures(
        posts_per_second={"float32": round(len(texts) / slow, 1), "int8": round(len(texts) / fast, 1)},
        mean_cosine=_rounded(cosines.mean()),
        worst_cosine=_rounded(cosines.min()),
        steady_cosine=_rounded((near * alone).sum(axis=1).min()),
    )


def choose(figures: Figures) -> tuple[str, str]:
    """The variant to serve, and why."""
    if figures.mean_cosine < _MEAN_COSINE or figures.worst_cosine < _WORST_COSINE:
        return "float32", "int8 strays too far from float32"
    if figures.steady_cosine < _STEADY_COSINE:
        return "float32", "int8 moves too much with the batch"
    if figures.posts_per_second["int8"] < _WORTH * figures.posts_per_second["float32"]:
        return "float32", "int8 is not faster here"
    return "int8", "faster, and close to float32"


def sample() -> list[str]:
    """Posts of one to six sentences, most of them short, as posts are."""
    sizes = (1, 1, 1, 2, 1, 3, 1, 6)
    starts = range(len(_SENTENCES) * 4)
    return [_joined(start, sizes[start % len(sizes)]) for start in starts]


def _joined(start: int, size: int) -> str:
    return " ".join(_SENTENCES[(start * 5 + n * 7) % len(_SENTENCES)] for n in range(size))


def _seconds(encoder: Encoder, texts: Sequence[str]) -> float:
    start = perf_counter()
    encoder.encode(texts)
    return perf_counter() - start


def _rounded(value: Floats | np.floating) -> float:
    return round(float(value), 4)
