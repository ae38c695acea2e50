"""purge, reindex, doctor: keeping a desk in order."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import click

from claimwatch import settings
from claimwatch.errors import ClaimwatchError
from claimwatch.ledger import claims, facts, runs, sources
from claimwatch.projector import reproject
from jobs.checkup import ledger_line, posts_line
from jobs.cli.options import bar, config_option, desk_of, echo_json


@click.command("purge", help="Delete what has outlived its keeping time; counts stay.")
@config_option
def purge_command(config: Path | None) -> None:
    """Prints how much of each was deleted."""
    from jobs.purge import purge

    with desk_of(config) as (desk, _), bar("purge") as advance:
        done = purge(desk, advance)
    echo_json(done)


@click.command("reindex", help="Write every decision onto the posts store again.")
@config_option
def reindex_command(config: Path | None) -> None:
    """After a restore, or when the two stores differ."""
    with desk_of(config) as (desk, _):
        cards = reproject(desk)
    echo_json({"cards": cards})


@click.command("doctor", help="Check settings, both stores, the desk in them, model and disk; one line each.")
@config_option
def doctor_command(config: Path | None) -> int:
    """Exit 1 where anything is wrong."""
    where = settings.places(os.environ, config)
    checks: dict[str, Callable[[], str]] = {
        "settings": lambda: f"{where.config}: {settings.load(where.config, os.environ).desk.name}",
        "ledger": lambda: ledger_line(where, os.environ),
        "posts": lambda: posts_line(where, os.environ),
        "desk": lambda: _desk(config),
        "model": lambda: _model(where),
        "disk": lambda: f"{shutil.disk_usage(_existing(where.data)).free / 1e9:.1f} GB free at {where.data}",
    }
    wrong = 0
    for name, check in checks.items():
        try:
            click.echo(f"ok    {name}: {check()}")
        except ClaimwatchError as error:
            wrong += 1
            click.echo(f"WRONG {name}: {error}")
    return 1 if wrong else 0


def _desk(config: Path | None) -> str:
    with desk_of(config) as (desk, _), desk.ledger.read() as db:
        listed = sources.every(db)
        troubled = [source.name for source in listed if source.attention]
        failed = sum(run.status == "failed" for run in runs.recent(db, limit=50))
        kept = facts.get(db, "seed.kept")
        parts = [
            f"{len(claims.every(db))} claims",
            f"{len(listed)} sources ({len(troubled)} need attention{': ' + ', '.join(troubled) if troubled else ''})",
            f"{failed} of the last 50 runs failed",
        ]
        return ", ".join(parts) + (f", claims kept as the team edited them: {kept}" if kept else "")


def _model(where: settings.Places) -> str:
    from classifier.encoder import Encoder
    from classifier.serving import shipped_folder

    return f"{shipped_folder().name} on {Encoder.open(where.cache / 'encoder').name}"


def _existing(folder: Path) -> Path:
    while not folder.exists():
        folder = folder.parent
    return folder
