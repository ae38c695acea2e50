"""The choice between float32 and int8: by instructions, agreement, steadiness and speed, in that order."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from classifier.encoder import Encoder
from classifier.measure import Figures, choose, compare, int8_may_pay, multiplies_bfloat16, sample
from classifier.variants import build
from tiny_model import TINY_BASE, tiny_encoder_folder

GOOD = Figures(
    posts_per_second={"float32": 65.0, "int8": 192.0}, mean_cosine=0.9964, worst_cosine=0.985, steady_cosine=0.99
)


def test_a_close_and_faster_int8_is_chosen() -> None:
    assert choose(GOOD)[0] == "int8"


@pytest.mark.parametrize(
    ("worse", "why"),
    [
        (replace(GOOD, mean_cosine=0.9949), "strays"),
        (replace(GOOD, worst_cosine=0.979), "strays"),
        (replace(GOOD, steady_cosine=0.98), "batch"),
        (replace(GOOD, posts_per_second={"float32": 65.0, "int8": 77.0}), "not faster"),
    ],
)
def test_an_int8_that_fails_one_check_is_not_served(worse: Figures, why: str) -> None:
    chosen, told = choose(worse)
    assert chosen == "float32"
    assert why in told


@pytest.mark.parametrize(
    ("flags", "pays"),
    [
        ("fpu avx2 avx512f avx512_vnni", True),
        ("fpu avx2 avx_vnni", True),
        ("fpu amx_int8 amx_tile", True),
        ("fpu avx2 fma", False),
        ("fpu avx512f xavx512_vnnix", False),
    ],
)
def test_the_processors_flags_say_whether_int8_can_pay(tmp_path: Path, flags: str, pays: bool) -> None:
    (tmp_path / "cpuinfo").write_text(f"processor : 0\nflags\t\t: {flags}\n", encoding="utf-8")
    assert int8_may_pay(tmp_path / "cpuinfo") is pays


@pytest.mark.parametrize(("flags", "does"), [("fpu avx512_bf16", True), ("fpu amx_bf16", True), ("avx512_vnni", False)])
def test_the_processors_flags_say_whether_it_multiplies_bfloat16(tmp_path: Path, flags: str, does: bool) -> None:
    (tmp_path / "cpuinfo").write_text(f"flags\t\t: {flags}\n", encoding="utf-8")
    assert multiplies_bfloat16(tmp_path / "cpuinfo") is does


def test_an_unknown_processor_gets_no_int8(tmp_path: Path) -> None:
    assert not int8_may_pay(tmp_path / "none")


def test_the_sample_mixes_lengths() -> None:
    lengths = sorted(len(text) for text in sample())
    assert len(lengths) == 48
    assert lengths[-1] > 4 * lengths[len(lengths) // 2]


def test_an_encoder_agrees_with_itself(tmp_path: Path) -> None:
    encoder = Encoder.open(tiny_encoder_folder(tmp_path), threads=1)
    figures = compare(encoder, encoder, rounds=1)
    assert figures.mean_cosine == figures.worst_cosine == figures.steady_cosine == 1.0
    assert figures.posts_per_second["float32"] > 0


def test_int8_is_measured_against_float32(tmp_path: Path) -> None:
    build(tmp_path, base=TINY_BASE, sha256=None, only="int8")
    full, small = Encoder.open(tmp_path, variant="float32"), Encoder.open(tmp_path, variant="int8")
    figures = compare(full, small)
    assert 0.9 < figures.worst_cosine <= figures.mean_cosine <= 1  # rounded; VNNI saturates nothing
    assert not np.array_equal(full.encode(sample()), small.encode(sample()))
