"""crawl, parse, import: bringing posts in."""

import json
import os
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from claimwatch import settings
from claimwatch.clock import SystemClock
from claimwatch.errors import ConfigError
from claimwatch.ledger import sources
from jobs.cli.options import bar, config_option, desk_of, echo_json


@click.command("crawl", help="Crawl sources now: those named, else all that are enabled.")
@click.argument("names", nargs=-1, metavar="[SOURCE]...")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome of each source as JSON.")
@click.option("--recheck", is_flag=True, help="In place of a crawl: look kept posts up, delete those that are gone.")
@config_option
def crawl_command(names: tuple[str, ...], as_json: bool, recheck: bool, config: Path | None) -> int:
    """Counts per outcome: stored, updated, unchanged, dropped(reason), rejected(reason), deleted."""
    from crawlers.crawl import crawl_now

    if recheck:
        return _recheck(names, config)
    with desk_of(config) as (desk, _):
        with desk.ledger.read() as db:
            chosen = list(names) or [source.name for source in sources.every(db) if source.enabled]
        if not chosen:
            raise ConfigError("no source is enabled: enable one in config/sources.yml or name one; see: sources list")
        done = crawl_now(desk, chosen)
    if as_json:
        echo_json({one.source: {"outcomes": one.outcomes, "pages": one.pages, "failure": one.failure} for one in done})
    for one in [] if as_json else done:
        counts = ", ".join(f"{outcome} {posts:,}" for outcome, posts in sorted(one.outcomes.items())) or "nothing new"
        click.echo(f"{one.source}: {counts}")
    for one in done:
        for line in (*one.problems, *([one.failure] if one.failure else [])):
            click.echo(f"{one.source}: {line}", err=True)
    return 1 if any(one.failure for one in done) else 0


def _recheck(names: tuple[str, ...], config: Path | None) -> int:
    """Flagged posts, and those of open or lately decided cards, as the worker does every night."""
    from crawlers.recheck import recheck_now

    if names:
        raise ConfigError("--recheck looks at the posts of all sources: leave out the names")
    with desk_of(config) as (desk, _):
        done = recheck_now(desk)
    echo_json({"outcomes": done.outcomes, "failures": done.failures})
    return 0


@click.command("parse", help="Read one saved answer of a KIND of source and print its posts as JSON.")
@click.argument("kind")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--url", default="", help="The address the answer came from.")
@click.option("--meta", type=click.Path(path_type=Path), default=None, help="JSON with url, status and headers.")
@click.option("--policy", type=click.Choice(["respectful", "none"]), default=None, help="none keeps opted-out posts.")
@config_option
def parse_command(kind: str, file: Path, url: str, meta: Path | None, policy: str | None, config: Path | None) -> int:
    """Exit 0 when the answer was understood, 1 where it is unreadable. `next` never holds a token."""
    from claimwatch import keys
    from crawlers.kinds import PARSERS
    from crawlers.shown import shown_page

    if kind not in PARSERS:
        raise ConfigError(f"there is no kind {kind!r}: use one of {', '.join(PARSERS)}")
    where = settings.places(os.environ, config)
    secret = keys.load(os.environ, where.keys)
    about = _read_meta(meta)
    page = PARSERS[kind](
        _read_bytes(file),
        url=_sound(url or str(about.get("url") or "")),
        headers=_headers(about),
        now=SystemClock().now(),
        policy=policy or "respectful",
    )
    echo_json(shown_page(page, secret, "bluesky" if kind == "jetstream" else kind))
    return 0 if page.understood else 1


@click.command("import", help="Bring in rows of a FILE, one post a row: JSONL, CSV, 4CAT, Junkipedia, Media Cloud.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--source", required=True, help="A name for this collection; kept as import:NAME.")
@click.option(
    "--format",
    "form",
    default="auto",
    help="4cat, junkipedia, mediacloud, csv, jsonl or auto (told by the columns).",
)
@click.option("--map", "columns", default="", help="Columns by field, such as text=body,created_at=ts.")
@config_option
def import_command(file: Path, source: str, form: str, columns: str, config: Path | None) -> int:
    """Killed and repeated, it goes on where it stopped. Rows without a date count as collected now."""
    from crawlers.import_formats import COLUMNS
    from crawlers.imports import Import, count_rows, import_file

    wanted = Import(file=file, source=_name(source), format=form, columns=_columns(columns, COLUMNS))
    total = count_rows(wanted)
    with desk_of(config) as (desk, _), bar("import", total, "rows") as advance:
        outcomes = Counter(import_file(desk, wanted, advance))
    echo_json({"rows": outcomes.total(), "outcomes": dict(sorted(outcomes.items()))})
    return 0


def _read_bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read ({error.strerror}): give the path of a readable file") from error


def _read_meta(file: Path | None) -> Mapping[str, Any]:
    """The answer's url, status and headers, from the file named."""
    if file is None:
        return {}
    try:
        about = json.loads(_read_bytes(file))
    except ValueError as error:
        raise ConfigError(f"{file}: is no JSON; it holds url, status and headers") from error
    if not isinstance(about, dict):
        raise ConfigError(f"{file}: must hold an object with url, status and headers")
    return about


def _headers(about: Mapping[str, Any]) -> dict[str, str]:
    headers = about.get("headers")
    pairs = headers.items() if isinstance(headers, dict) else []
    plain = {str(name): ", ".join(map(str, value)) if isinstance(value, list) else str(value) for name, value in pairs}
    plain |= {":status": str(about["status"])} if "status" in about else {}
    return {_sound(name): _sound(value) for name, value in plain.items()}


def _sound(text: str) -> str:
    """Without lone surrogates, which JSON and the command line let through and nothing behind them does."""
    return text.encode("utf-8", "replace").decode()


def _name(source: str) -> str:
    if not source.replace("-", "").replace("_", "").replace(".", "").isalnum() or len(source) > 60:
        raise ConfigError(f"--source {source!r}: use up to 60 letters, digits, dots and dashes")
    return source


def _columns(given: str, known: Mapping[str, Any]) -> dict[str, str]:
    pairs = [pair.partition("=") for pair in given.split(",") if pair]
    for field, equals, column in pairs:
        if field not in known or not equals or not column:
            raise ConfigError(f"--map {field!r}: write field=column with one of {', '.join(known)}")
    return {field: column for field, _, column in pairs}
