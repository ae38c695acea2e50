"""How fast posts are judged: the whole pipeline and the encoder alone, against Hugging Face and torch, in turns."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

import numpy as np

from claimwatch.errors import ConfigError
from claimwatch.text.fold import text_hash
from classifier.base_file import Shape
from classifier.encoder import Encoder
from classifier.measure import int8_may_pay
from classifier.rows import Row
from classifier.serving import HeadModel
from jobs.bench.timing import Side, in_turns

#: Of the stream's posts, those that say what another one said.
COPIES = 0.20
#: Of the different posts, those about health.
ON_TOPIC = 0.05
PIPELINE, ENCODER, HUGGING_FACE, SORTED = "pipeline", "encoder alone", "Hugging Face pipeline", "torch, sorted"
#: What is wanted of the pipeline, in Hugging Face's posts a second, and of the encoder, in those of sorted torch; of
#: the encoder more where the processor multiplies bytes.
_PIPELINE_GOAL, _ENCODER_GOAL, _ENCODER_GOAL_IN_BYTES = 30.0, 1.4, 2.4


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """Posts as they come: most about something else, some said before."""

    texts: Sequence[str]
    different: int
    on_topic: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What was measured on one stream."""

    stream: Stream
    encoder: str
    tokens: float  #: of the mean post
    read: int  #: texts that the gate let through to the encoder
    sides: Mapping[str, Side]
    peak: float  #: floating-point operations a second of a large float32 matrix product here
    needed: float  #: floating-point operations that the encoder needs for a post of this stream
    bytes: bool  #: whether this processor multiplies bytes

    def speed(self, side: str) -> float:
        """Posts a second, by the median round."""
        return len(self.stream.texts) / self.sides[side].median

    def ratio(self, side: str, to: str) -> float | None:
        """How many times as fast as another side; None where that one was not there."""
        return self.speed(side) / self.speed(to) if to in self.sides else None


def drawn(rows: Sequence[Row], posts: int, seed: int = 1) -> Stream:
    """So many posts of these rows in the shares named above, mixed. ConfigError where the rows do not suffice."""
    chance = np.random.default_rng(seed)
    different = round(posts * (1 - COPIES))
    wanted = round(different * ON_TOPIC)
    said: dict[bool, list[str]] = {
        inside: list({text_hash(row.text): row.text for row in rows if (row.in_scope is not False) == inside}.values())
        for inside in (True, False)
    }
    for inside, number in ((True, wanted), (False, different - wanted)):
        if len(said[inside]) < number:
            told = "in scope" if inside else "out of scope"
            raise ConfigError(
                f"--posts {posts} needs {number} different rows {told}, there are {len(said[inside])}: ask for fewer"
            )
    fresh = [
        said[inside][place]
        for inside, number in ((True, wanted), (False, different - wanted))
        for place in chance.permutation(len(said[inside]))[:number]
    ]
    again = [fresh[place] for place in chance.integers(len(fresh), size=posts - different)]
    texts = [*fresh, *again]
    return Stream(
        texts=[texts[place] for place in chance.permutation(len(texts))], different=different, on_topic=wanted
    )


def measure(model: HeadModel, encoder: Encoder, stream: Stream, *, rounds: int, threads: int) -> Figures:
    """Every side reads the stream from raw text, once to warm up and then in turns."""
    texts = list(stream.texts)
    sides: dict[str, Callable[[int], object]] = {
        PIPELINE: lambda _: judged(model, texts),
        ENCODER: lambda _: encoder.encode(texts),
    }
    rivals = _rivals(encoder, threads)
    for name, reads in rivals.items():
        sides[name] = lambda _, reads=reads: reads(texts)  # type: ignore[misc]
    in_turns(sides, range(1))
    read = sum(opinion.stage != "gate" for opinion in judged(model, texts).values())
    lengths = encoder.lengths(texts)
    return Figures(
        stream=stream,
        encoder=encoder.name,
        tokens=fmean(lengths),
        read=read,
        sides=in_turns(sides, range(rounds)),
        peak=_peak(),
        needed=fmean(operations(encoder.shape, length) for length in lengths),
        bytes=int8_may_pay(),
    )


def judged(model: HeadModel, texts: Sequence[str]) -> dict[str, Any]:
    """The opinion of every different text, by its hash: as `classify` does it, each text once."""
    fresh = {text_hash(text): text for text in texts}
    return dict(zip(fresh, model.judge(list(fresh.values())), strict=True))


def operations(shape: Shape, tokens: int) -> float:
    """Floating-point operations of one text: two for each weight and token, and attention's products."""
    weights = shape.layers * (4 * shape.hidden**2 + 2 * shape.hidden * shape.feed_forward)
    attention = shape.layers * 2 * tokens**2 * shape.hidden
    return 2.0 * (weights * tokens + attention)


def table(figures: Figures) -> str:
    """The figures as Markdown."""
    stream = figures.stream
    drawn_from = (
        f"{len(stream.texts):,} posts, {stream.different:,} different, {stream.on_topic:,} of these about health, "
        f"mean {figures.tokens:.0f} tokens; {figures.encoder}; {figures.read:,} texts passed the gate. "
        f"Median of {len(figures.sides[PIPELINE].seconds)} rounds in turns."
    )
    limit = (
        f"A large float32 product reaches {figures.peak / 1e9:.0f} GFLOP/s here; the encoder needs "
        f"{figures.needed / 1e9:.2f} GFLOP for a post, so at most {figures.peak / figures.needed:.0f} posts/s; "
        f"it reaches {figures.speed(ENCODER) * figures.needed / figures.peak:.0%} of that."
    )
    lines = [
        drawn_from,
        "",
        "| side | posts/s | times Hugging Face | times torch, sorted | goal |",
        "| --- | ---: | ---: | ---: | --- |",
        *(_row(figures, side) for side in figures.sides),
        "",
        limit,
    ]
    if HUGGING_FACE not in figures.sides:
        lines.append("Without Hugging Face and torch, which `claimwatch[train]` brings, there is nothing to compare.")
    return "\n".join(lines)


def _row(figures: Figures, side: str) -> str:
    ratios = [figures.ratio(side, to) for to in (HUGGING_FACE, SORTED)]
    shown = " | ".join("" if one is None else f"{one:.2f}" for one in ratios)
    goal = ""
    goals = {
        PIPELINE: (HUGGING_FACE, _PIPELINE_GOAL),
        ENCODER: (SORTED, _ENCODER_GOAL_IN_BYTES if figures.bytes else _ENCODER_GOAL),
    }
    if side in goals:
        to, least = goals[side]
        reached = figures.ratio(side, to)
        goal = f"{least:g} times {to}" + ("" if reached is None or reached >= least else ", missed")
    return f"| {side} | {figures.speed(side):.1f} | {shown} | {goal} |"


def _rivals(encoder: Encoder, threads: int) -> dict[str, Callable[[Sequence[str]], object]]:
    try:
        from jobs.bench.rivals import open_rivals
    except ModuleNotFoundError:
        return {}
    pipeline, in_order = open_rivals(encoder, threads)
    return {HUGGING_FACE: pipeline, SORTED: in_order}


def _peak() -> float:
    """The best of ten products of 2,048 x 2,048 float32 matrices, by whatever numpy was built with."""
    size = 2048
    left = np.random.default_rng(1).random((size, size), np.float32)
    timed = in_turns({"product": lambda _: left @ left}, range(11))["product"]
    return 2.0 * size**3 / min(timed.seconds)
