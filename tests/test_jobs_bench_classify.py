"""The classifier's benchmark: that its stream and its figures are what they say, not how fast anything is."""

from dataclasses import replace

import pytest

from claimwatch.errors import ConfigError
from classifier.base_file import Shape
from classifier.rows import Row
from jobs.bench.classify import (
    ENCODER,
    HUGGING_FACE,
    PIPELINE,
    SORTED,
    Figures,
    drawn,
    judged,
    operations,
    table,
)
from jobs.bench.timing import Side


def rows(inside: int, outside: int) -> list[Row]:
    """Different texts, so many about health and so many about something else."""
    made = [Row(id=f"i{n}", text=f"tỏi chữa bệnh số {n}", positive=True, in_scope=True) for n in range(inside)]
    return made + [Row(id=f"o{n}", text=f"bóng đá trận {n}", positive=False, in_scope=False) for n in range(outside)]


def test_a_stream_has_the_shares_it_says() -> None:
    stream = drawn(rows(40, 400), 500)
    assert (len(stream.texts), stream.different, stream.on_topic) == (500, 400, 20)
    assert len(set(stream.texts)) == 400
    assert sum(text.startswith("tỏi") for text in set(stream.texts)) == 20
    assert drawn(rows(40, 400), 500) == stream
    assert drawn(rows(40, 400), 500, seed=2) != stream


def test_a_stream_that_the_rows_cannot_fill_is_refused() -> None:
    with pytest.raises(ConfigError, match="needs 380 different rows out of scope, there are 30: ask for fewer"):
        drawn(rows(40, 30), 500)


def test_each_different_text_is_judged_once() -> None:
    class Heard:
        texts: list[str]

        def judge(self, texts: list[str]) -> list[int]:
            self.texts = texts
            return list(range(len(texts)))

    model = Heard()
    assert len(judged(model, ["Tỏi", "tỏi ", "gừng"])) == 2  # type: ignore[arg-type]
    assert len(model.texts) == 2


def test_operations_are_counted_as_two_for_each_weight_and_token() -> None:
    small = Shape(hidden=2, layers=3, heads=1, feed_forward=8, vocabulary=9, positions=9, types=1, epsilon=1e-12)
    # per layer 4 x 2 x 2 + 2 x 2 x 8 = 48 weights; attention multiplies 2 x 5 x 5 x 2 numbers
    assert operations(small, 5) == 2 * 3 * (48 * 5 + 100)


def test_a_missed_goal_is_called_so_and_missing_rivals_are_named() -> None:
    stream = drawn(rows(40, 400), 500)
    sides = {PIPELINE: Side([1.0]), ENCODER: Side([2.0]), HUGGING_FACE: Side([29.0]), SORTED: Side([3.0])}
    figures = Figures(stream=stream, encoder="e5", tokens=50.0, read=30, sides=sides, peak=2e9, needed=1e6, bytes=False)
    shown = table(figures).splitlines()
    assert shown[4] == "| pipeline | 500.0 | 29.00 | 3.00 | 30 times Hugging Face pipeline, missed |"
    assert shown[5] == "| encoder alone | 250.0 | 14.50 | 1.50 | 1.4 times torch, sorted |"
    assert "at most 2000 posts/s; it reaches 12% of that" in shown[-1]
    assert table(replace(figures, bytes=True)).splitlines()[5].endswith("| 2.4 times torch, sorted, missed |")
    alone = replace(figures, sides={PIPELINE: Side([1.0]), ENCODER: Side([2.0])})
    assert "nothing to compare" in table(alone)
