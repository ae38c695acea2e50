"""What a benchmark of the stores found: Markdown for docs/benchmarks.md, and one picture per operation."""

from collections.abc import Sequence
from pathlib import Path

from jobs.bench.curves import curves, number
from jobs.bench.store import BARE, ELASTIC, SQLITE, Figures

#: The ratios that goals are stated in: operation, over, under, and what it says.
_RATIOS = (
    ("ingest of 500 posts", BARE, ELASTIC, "our ingest, as a share of the bare bulk helper's"),
    ("two words, by relevance", SQLITE, ELASTIC, "ranked search, SQLite's time in Elasticsearch's"),
    ("two words, flagged, newest", SQLITE, ELASTIC, "filtered search, SQLite's time in Elasticsearch's"),
    ("two words, flagged, newest", ELASTIC, BARE, "filtered search, ours in the bare client's"),
)


def table(figures: Sequence[Figures]) -> str:
    """Milliseconds, median / 95th percentile, per operation and side at every size; then the ratios of medians."""
    sides = [side for side in (SQLITE, ELASTIC, BARE) if any(side in found for found in figures[0].sides.values())]
    lines = [
        f"| operation, ms (median / p95) | posts | {' | '.join(sides)} |",
        f"| --- | ---: |{' --- |' * len(sides)}",
    ]
    for operation in figures[0].sides:
        lines += [_row(operation, one, sides) for one in figures]
    lines += ["", "| ratio of medians | " + " | ".join(f"{one.posts:,}" for one in figures) + " |"]
    lines.append("| --- |" + " ---: |" * len(figures))
    for operation, over, under, says in _RATIOS:
        if {over, under} <= set(figures[0].sides[operation]):
            values = " | ".join(f"{one.ratio(operation, over, under):.2f}" for one in figures)
            lines.append(f"| {says} | {values} |")
    return "\n".join(lines)


def draw(figures: Sequence[Figures], folder: Path) -> list[Path]:
    """A picture per operation: the 95th percentile over the size, per side."""
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for operation, sides in figures[0].sides.items():
        series = {side: [(one.posts, one.sides[operation][side].p95 * 1000) for one in figures] for side in sides}
        file = folder / f"store-{operation.replace(',', '').replace(' ', '-')}.svg"
        file.write_text(curves(f"{operation}: 95th percentile", "ms", series), encoding="utf-8")
        files.append(file)
    return files


def _row(operation: str, figures: Figures, sides: Sequence[str]) -> str:
    found = figures.sides[operation]
    cells = [
        f"{number(found[side].median * 1000)} / {number(found[side].p95 * 1000)}" if side in found else ""
        for side in sides
    ]
    return f"| {operation} | {figures.posts:,} | {' | '.join(cells)} |"
