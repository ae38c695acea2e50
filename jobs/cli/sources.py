"""sources: where posts come from, with their state."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import yaml

from claimwatch.desk import Desk
from claimwatch.errors import ConfigError, SourceError
from claimwatch.ledger import sources
from claimwatch.notices import Notice, Trouble, read_notices
from claimwatch.records import Source
from jobs.cli.options import config_option, desk_of, echo_json

#: As sources.yml asks.
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,59}")


@click.group("sources", help="Sources and their state: list, add, check, pause, resume, export.")
def sources_command() -> None:
    """sources.yml is a seed; after the first start the ledger owns them."""


@sources_command.command("list", help="All sources with their state as JSON.")
@config_option
def list_sources(config: Path | None) -> None:
    """State is working, new, paused, blocked, or what is wrong: refused, failing, not_crawled, silent."""
    from crawlers.forms import host_of

    with desk_of(config) as (desk, _), desk.ledger.read() as db:
        notices, limits = read_notices(db, desk.now()), sources.limited(db)
        rows = [_listed(one, notices.get(one.name), limits.get(host_of(one))) for one in sources.every(db)]
    echo_json(rows)


@sources_command.command("add", help="Add or change a source: NAME KIND key=value ...")
@click.argument("name")
@click.argument("kind")
@click.argument("settings", nargs=-1, metavar="[KEY=VALUE]...")
@click.option("--language", default="", help="Language of most of its posts, such as vi; empty: several.")
@click.option(
    "--expected-per-week",
    type=click.IntRange(0),
    default=0,
    help="Posts a week it should give; below, the report says so.",
)
@click.option("--every", type=click.IntRange(1), default=30, help="Minutes between crawls.")
@click.option("--dry-run", is_flag=True, help="Ask it once, show its first posts and keep nothing.")
@config_option
def add_source(
    name: str, kind: str, settings: tuple[str, ...], *, dry_run: bool, config: Path | None, **about: Any
) -> int:
    """Checked by its kind before it is kept. A source that asks something else than before begins anew."""
    from crawlers.kinds import checked_settings

    if not NAME.fullmatch(name):
        raise ConfigError(f"{name!r}: name it with up to 60 small letters, digits, dots and dashes")
    pairs = dict(_pair(one) for one in settings)
    made = Source(name=name, kind=kind, settings=pairs, **about)
    try:
        checked_settings(made)
    except SourceError as error:
        raise ConfigError(str(error)) from error
    with desk_of(config) as (desk, _):
        if dry_run:
            return _try(desk, made)
        with desk.ledger.write() as db:
            known = {one.name: one for one in sources.every(db)}.get(name)
            if known is None or (known.kind, known.settings) != (kind, pairs):
                sources.drop_cursors(db, name)
            sources.put(db, made)
    click.echo(f"added {name}")
    return 0


@sources_command.command(
    "check", help="Check the settings of every source; ask those that are named once and show their first posts."
)
@click.argument("names", nargs=-1)
@click.option("--settings-only", is_flag=True, help="Ask nobody, also where sources are named.")
@config_option
def check_sources(names: tuple[str, ...], settings_only: bool, config: Path | None) -> int:
    """Nothing that comes is kept. Exit 1 where any is wrong."""
    from crawlers.kinds import checked_settings

    wrong = 0
    with desk_of(config) as (desk, _):
        with desk.ledger.read() as db:
            chosen = [sources.get(db, name) for name in names] or sources.every(db)
            notices = read_notices(db, desk.now())
        for source in chosen:
            try:
                checked_settings(source)
            except SourceError as error:
                wrong += 1
                click.echo(str(error), err=True)
                continue
            told = notices.get(source.name)
            state = _state(source, told, None)
            click.echo(f"{source.name}: {state}{f': {told.reason}' if told and told.reason else ''}")
            if names and not settings_only:
                wrong += _try(desk, source)
    return 1 if wrong else 0


@sources_command.command("pause", help="Crawl a source no more until it is resumed.")
@click.argument("name")
@config_option
def pause_source(name: str, config: Path | None) -> None:
    """What it gave stays."""
    with desk_of(config) as (desk, _), desk.ledger.write() as db:
        sources.enable(db, name, enabled=False)
    click.echo(f"paused {name}")


@sources_command.command("resume", help="Crawl a source again.")
@click.argument("name")
@config_option
def resume_source(name: str, config: Path | None) -> None:
    """From where it stopped."""
    with desk_of(config) as (desk, _), desk.ledger.write() as db:
        sources.enable(db, name, enabled=True)
    click.echo(f"resumed {name}")


@sources_command.command("export", help="All sources as YAML that sources.yml takes.")
@config_option
def export_sources(config: Path | None) -> None:
    """Without state and without secrets: those are in the environment."""
    kept = ("name", "kind", "settings", "language", "every", "expected_per_week", "enabled")
    with desk_of(config) as (desk, _), desk.ledger.read() as db:
        rows = [{name: getattr(one, name) for name in kept} for one in sources.every(db)]
    click.echo(yaml.safe_dump(rows, allow_unicode=True, sort_keys=False), nl=False)


def _listed(source: Source, told: Notice | None, limit: tuple[float, str] | None) -> dict[str, Any]:
    return {
        "name": source.name,
        "kind": source.kind,
        "state": _state(source, told, limit),
        "reason": (told.reason if told else "") or (limit[1] if limit else ""),
        "blocked_until": datetime.fromtimestamp(limit[0], UTC) if limit else None,
        "last_success": source.last_success,
        "expected_per_week": source.expected_per_week,
    }


def _state(source: Source, told: Notice | None, limit: tuple[float, str] | None) -> str:
    if not source.enabled:
        return "paused"
    if told and (told.trouble is Trouble.REFUSED or not limit):
        return told.trouble.value
    if limit:
        return "blocked"
    return "working" if source.last_success else "new"


def _try(desk: Desk, source: Source) -> int:
    """Ask a source once and show what came; 1 where nothing did."""
    from crawlers.dryrun import try_source

    tried = try_source(desk, source)
    for post in tried.posts:
        when = post.created_at.isoformat(timespec="minutes") if post.created_at else "without date"
        click.echo(f"- {when} {post.language}{f' [left out: {post.left_out}]' if post.left_out else ''}")
        click.echo(f"  {' '.join(post.text.split())[:200]}")
    left_out = ", ".join(f"{reason} {count}" for reason, count in tried.left_out.items())
    click.echo(f"{source.name}: {tried.found} posts on the first page{f'; left out: {left_out}' if left_out else ''}")
    for line in (*tried.problems, *([tried.failure] if tried.failure else [])):
        click.echo(f"{source.name}: {line}", err=True)
    return 1 if tried.failure else 0


def _pair(one: str) -> tuple[str, str]:
    key, equals, value = one.partition("=")
    if not equals:
        raise ConfigError(f"{one!r}: write KEY=VALUE, such as url=https://example.org/feed")
    return key, value
