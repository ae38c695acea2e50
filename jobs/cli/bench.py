"""bench: how long things take, as ratios to what a bare library takes on the same bytes in the same run."""

from dataclasses import asdict
from pathlib import Path

import click

from claimwatch.errors import ConfigError
from jobs.cli.options import bar, echo_json


@click.group("bench", help="Measure, as ratios: trust them, not the seconds of a busy machine.")
def bench_command() -> None:
    """Holds one command per thing measured."""


@bench_command.command("parse", help="Each parser against json.loads, feedparser or lxml.html on the same bytes.")
@click.argument("kinds", nargs=-1, metavar="[KIND]...")
@click.option("--rounds", default=40, show_default=True, help="How often each side takes its turn.")
@click.option(
    "--pages",
    type=click.Path(path_type=Path),
    default=None,
    help="Recorded answers, in a folder per kind; without it pages made of the written samples.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def parse_command(kinds: tuple[str, ...], rounds: int, pages: Path | None, as_json: bool) -> int:
    """Prints a table; exit 0 whatever the figures are."""
    from crawlers.kinds import PARSERS
    from jobs.bench.parse import measure, page_of, recorded, table

    unknown = [kind for kind in kinds if kind not in PARSERS]
    if unknown:
        raise ConfigError(f"there is no kind {unknown[0]!r}: use some of {', '.join(PARSERS)}")
    if rounds < 1:
        raise ConfigError("--rounds: give at least 1")
    chosen, figures = kinds or tuple(PARSERS), []
    with bar("bench parse", len(chosen), "kinds") as advance:
        for kind in chosen:
            bodies = recorded(pages, kind) if pages else [page_of(kind)]
            figures += [measure(kind, bodies, rounds=rounds)] if bodies else []
            advance(1)
    if as_json:
        echo_json([asdict(one) | {"ratio": one.ratio, "goal": one.goal} for one in figures])
    else:
        click.echo(table(figures))
    return 0
