"""ledger, posts, backup, restore: a desk moved to other stores, kept safe and brought back."""

import os
from contextlib import closing
from pathlib import Path

import click

from claimwatch import settings
from claimwatch.ledger.copying import copy_ledger, size
from jobs import moving
from jobs.cli.options import bar, config_option, desk_of, echo_json
from jobs.moving import Opener


@click.group("ledger", help="The ledger: copy it into another database.")
def ledger_command() -> None:
    """Addresses as in the settings, or sqlite:/folder."""


@click.group("posts", help="The posts: copy them into another store.")
def posts_command() -> None:
    """Addresses as in the settings, or sqlite:/folder."""


@ledger_command.command(
    "copy",
    help="Copy the ledger from one address to another: sqlite (this data folder), sqlite:/folder or "
    "postgresql://user@host:5432/database. Stopped, it is finished by running it again.",
)
@click.argument("source")
@click.argument("target")
@config_option
def copy_of_ledger(source: str, target: str, config: Path | None) -> int:
    """Prints the rows of each table on both sides; exit 1 where they differ."""
    opener = _opener(config)
    moving.different(opener, source, target)
    with (
        closing(opener.ledger(source, existing=True)) as old,
        closing(opener.ledger(target)) as new,
        bar("ledger copy", size(old), unit="rows") as advance,
    ):
        copied = copy_ledger(old, new, advance)
    differing = [one.table for one in copied if one.source != one.target]
    echo_json({"rows": {one.table: one.target for one in copied}, "differing": differing})
    return _verdict(differing)


@posts_command.command(
    "copy",
    help="Copy all posts from one address to another: sqlite (this data folder), sqlite:/folder or "
    "elasticsearch+https://host:9200/prefix. Stopped, it is finished by running it again.",
)
@click.argument("source")
@click.argument("target")
@config_option
def copy_of_posts(source: str, target: str, config: Path | None) -> int:
    """Prints how much of each kind was copied; exit 1 where the two sides differ. Decisions come from the ledger."""
    opener = _opener(config)
    moving.different(opener, source, target)
    with (
        closing(opener.posts(source, existing=True)) as old,
        closing(opener.posts(target)) as new,
        desk_of(config) as (desk, _),
        bar("posts copy, then count") as advance,
    ):
        moved = moving.move_posts(desk, old, new, opener.name(target), advance)
    echo_json({"copied": moved.target, "differing": moved.differing})
    return _verdict(moved.differing)


@click.command("backup", help="Copy both stores into a folder, while claimwatch runs.")
@click.argument("folder", type=click.Path(path_type=Path))
@config_option
def backup_command(folder: Path, config: Path | None) -> None:
    """The author keys of the quarter are left out; the desk's keys are yours to keep: see docs/backup.md."""
    from jobs.backup import back_up

    with desk_of(config) as (desk, where), bar("backup", unit="rows and posts") as advance:
        kept = back_up(desk, _opener(config), folder, advance)
    click.echo(
        f"copied both stores to {folder} ({kept.ledger}, {kept.posts}); keep the keys of {where.keys} "
        "apart from it, somewhere safe"
    )


@click.command("restore", help="Bring both stores back from a folder that `backup` made, into those of the settings.")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--replace", is_flag=True, help="Give up what the stores hold now.")
@config_option
def restore_command(folder: Path, replace: bool, config: Path | None) -> int:
    """Stop claimwatch first. Refuses stores in use without --replace; exit 1 where the counts differ at the end."""
    from jobs.backup import restore

    with bar("restore", unit="rows and posts") as advance:
        differing = restore(config, os.environ, folder, over=replace, advance=advance)
    echo_json({"restored": str(folder), "differing": differing})
    return _verdict(differing)


def _opener(config: Path | None) -> Opener:
    where = settings.places(os.environ, config)
    chosen = settings.load(where.config, os.environ)
    return Opener(data=where.data, credentials=settings.credentials(os.environ), ca=chosen.stores.ca)


def _verdict(differing: list[str]) -> int:
    if differing:
        named = ", ".join(differing)
        click.echo(f"claimwatch: the counts differ ({named}): stop whatever writes there, then run it again", err=True)
    return 1 if differing else 0
