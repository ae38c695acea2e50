"""Bars are to scale, small ones are seen, and nothing leaves the picture."""

from reports.charts import WIDTH, Entry, bars, columns, shortened


def entry(*values: float) -> Entry:
    return Entry(label="a claim", values=tuple(("now", value, str(value)) for value in values))


def test_bars_are_to_one_scale() -> None:
    first, second = bars([entry(100), entry(50)]).rows
    assert first.bars[0].width == 2 * second.bars[0].width


def test_a_small_bar_is_seen_and_nothing_is_no_bar() -> None:
    (row,) = bars([entry(100_000, 1, 0)]).rows
    assert [bar.width for bar in row.bars][1:] == [1, 0]


def test_nothing_leaves_the_picture() -> None:
    for chart in (bars([entry(3, 9), entry(2, 1)]), columns([entry(n) for n in range(7)]), bars([entry(2)], mark=1)):
        for row in chart.rows:
            for bar in row.bars:
                assert 0 <= bar.x <= bar.x + bar.width <= WIDTH
                assert 0 <= bar.y <= bar.y + bar.height <= chart.height
                assert 0 < bar.text_x < WIDTH


def test_a_line_never_crosses_a_figure() -> None:
    chart = bars([entry(0.95), entry(0.01)], mark=1.0)
    assert chart.mark is not None
    assert all(bar.text_x > chart.mark for row in chart.rows for bar in row.bars)


def test_only_zeros_make_an_empty_chart() -> None:
    assert [row.bars[0].height for row in columns([entry(0), entry(0)]).rows] == [0, 0]
    assert bars([]).rows == ()


def test_a_long_label_is_cut_between_words() -> None:
    assert shortened("short") == "short"
    assert shortened("từng chữ " * 30).endswith("chữ …")
