"""bench: how long things take, as ratios to what a bare library takes on the same bytes in the same run."""

import os
import tempfile
from dataclasses import asdict
from pathlib import Path

import click

from claimwatch import settings
from claimwatch.errors import ConfigError
from jobs.cli.options import bar, config_option, echo_json
from jobs.opening import read_library


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


@bench_command.command("store", help="SQLite against Elasticsearch against the bare client, on synthetic posts.")
@click.option("--posts", "sizes", default="10000,100000,1000000", show_default=True, help="Sizes, smallest first.")
@click.option("--elasticsearch", "address", envvar="CLAIMWATCH_TEST_ELASTICSEARCH", default="", help="http://host:port")
@click.option("--out", type=click.Path(path_type=Path), default=None, help="Also draw the curves into this folder.")
def store_command(sizes: str, address: str, out: Path | None) -> int:
    """Prints Markdown; without an address SQLite alone. Indices and files of its own, deleted at the end."""
    from jobs.bench.results import draw, table
    from jobs.bench.store import opened

    wanted = sorted({int(size) for size in sizes.split(",") if size.strip().isdigit() and int(size) > 0})
    if not wanted:
        raise ConfigError(f"--posts: {sizes!r} names no sizes: give numbers such as 10000,100000")
    figures = []
    with tempfile.TemporaryDirectory(prefix="claimwatch-bench-") as folder, opened(Path(folder), address) as bench:
        for size in wanted:
            with bar(f"{size:,} posts", size - bench.filled, "posts") as advance:
                bench.grow(size, advance)
            figures.append(bench.measure())
            click.echo(table(figures[-1:]), err=True)
    click.echo(table(figures))
    if out:
        click.echo(f"curves: {', '.join(file.name for file in draw(figures, out))}", err=True)
    return 0


@bench_command.command("workers", help="What a post costs in CPU with one worker and with two, on real servers.")
@click.option("--posts", default=1_000, show_default=True, help="Synthetic posts to assess in each run.")
@click.option("--elasticsearch", envvar="CLAIMWATCH_TEST_ELASTICSEARCH", required=True, help="http://host:port")
@click.option(
    "--postgres", envvar="CLAIMWATCH_TEST_POSTGRES", required=True, help="postgresql://user@host:port/database"
)
@config_option
def workers_command(posts: int, elasticsearch: str, postgres: str, config: Path | None) -> int:
    """Prints a line per run and the ratio."""
    from jobs.bench.workers import measure, ratio

    where = settings.places(os.environ, config)
    costs = measure((elasticsearch, postgres), where, posts, lambda line: click.echo(line, err=True))
    echo_json([asdict(one) for one in costs])
    click.echo(f"CPU a post with two workers, in that with one: {ratio(costs):.2f}")
    return 0


@bench_command.command(
    "classify", help="The pipeline and the encoder against Hugging Face's pipeline and sorted torch."
)
@click.option(
    "--data", "files", type=click.Path(path_type=Path), multiple=True, help="JSONL rows; else the corpus' frozen set."
)
@click.option("--map", "mapping", default="", help="How a public set is read: reintel, constraint, rumor, ...")
@click.option("--posts", default=300, show_default=True, help="Posts of the stream; a fifth say what others said.")
@click.option("--rounds", default=5, show_default=True, help="How often each side takes its turn.")
@click.option("--model", "folder", type=click.Path(path_type=Path), default=None, help="A folder of `train --out`.")
@config_option
def classify_command(
    *, files: tuple[Path, ...], mapping: str, posts: int, rounds: int, folder: Path | None, config: Path | None
) -> int:
    """Prints Markdown; what `claimwatch[train]` does not bring is left out, and said to be."""
    from classifier.frozen import split
    from classifier.rows import corpus, read_rows
    from classifier.serving import open_encoder
    from jobs.assess import ready_model
    from jobs.bench.classify import drawn, measure, table

    if posts < 1 or rounds < 1:
        raise ConfigError("--posts and --rounds: give at least 1")
    where = settings.places(os.environ, config)
    chosen = settings.load(where.config, os.environ)
    stream = drawn(read_rows(files, mapping) if files else split(corpus())[1], posts)
    model = ready_model(where, chosen, folder=folder)
    model.learn_claims(read_library(where.config.parent / "claims"))
    threads = chosen.classify.threads or len(os.sched_getaffinity(0))
    click.echo(f"bench classify: {rounds + 1} rounds of {posts:,} posts on each side", err=True)
    click.echo(
        table(measure(model, open_encoder(where.cache, chosen.classify), stream, rounds=rounds, threads=threads))
    )
    return 0
