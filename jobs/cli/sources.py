"""sources: where posts come from, with their state."""

from pathlib import Path

import click
import yaml

from claimwatch.errors import ConfigError, SourceError
from claimwatch.ledger import sources
from claimwatch.records import Source
from jobs.cli.options import config_option, desk_of, echo_json


@click.group("sources", help="Sources and their state: list, add, check, pause, resume, export.")
def sources_command() -> None:
    """sources.yml is a seed; after the first start the ledger owns them."""


@sources_command.command("list", help="All sources with their state as JSON.")
@config_option
def list_sources(config: Path | None) -> None:
    """State is ok, paused, or needs attention with the reason."""
    with desk_of(config) as (desk, _), desk.ledger.read() as db:
        rows = [
            {
                "name": one.name,
                "kind": one.kind,
                "state": _state(one),
                "attention": one.attention,
                "last_success": one.last_success,
                "expected_per_week": one.expected_per_week,
            }
            for one in sources.every(db)
        ]
    echo_json(rows)


@sources_command.command("add", help="Add a source: NAME KIND key=value ...")
@click.argument("name")
@click.argument("kind")
@click.argument("settings", nargs=-1, metavar="[KEY=VALUE]...")
@click.option(
    "--expected-per-week", type=int, default=0, help="Posts a week it should give; below, the report says so."
)
@click.option("--every", type=int, default=30, help="Minutes between crawls.")
@config_option
def add_source(
    name: str, kind: str, settings: tuple[str, ...], expected_per_week: int, every: int, config: Path | None
) -> None:
    """Checked by its kind before it is kept."""
    from crawlers.kinds import checked_settings

    pairs = dict(_pair(one) for one in settings)
    made = Source(name=name, kind=kind, settings=pairs, every=every, expected_per_week=expected_per_week)
    try:
        checked_settings(made)
    except SourceError as error:
        raise ConfigError(str(error)) from error
    with desk_of(config) as (desk, _), desk.ledger.write() as db:
        sources.put(db, made)
    click.echo(f"added {name}")


@sources_command.command("check", help="Check the settings of every source, or of those named; crawls nothing.")
@click.argument("names", nargs=-1)
@config_option
def check_sources(names: tuple[str, ...], config: Path | None) -> int:
    """Exit 1 where any is wrong."""
    from crawlers.kinds import checked_settings

    wrong = 0
    with desk_of(config) as (desk, _), desk.ledger.read() as db:
        for source in [sources.get(db, name) for name in names] or sources.every(db):
            try:
                checked_settings(source)
            except SourceError as error:
                wrong += 1
                click.echo(str(error), err=True)
            else:
                click.echo(f"{source.name}: {_state(source)}{f': {source.attention}' if source.attention else ''}")
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


def _state(source: Source) -> str:
    if not source.enabled:
        return "paused"
    return "needs attention" if source.attention else "ok"


def _pair(one: str) -> tuple[str, str]:
    key, equals, value = one.partition("=")
    if not equals:
        raise ConfigError(f"{one!r}: write KEY=VALUE, such as url=https://example.org/feed")
    return key, value
