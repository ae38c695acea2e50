"""train, evaluate, model: making models and knowing how good they are."""

import os
from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from claimwatch import settings
from claimwatch.errors import ConfigError
from jobs.cli.options import bar, config_option, echo_json
from jobs.opening import read_library

if TYPE_CHECKING:
    from classifier.encoder import Encoder
    from classifier.rows import Row

_DATA = click.option("--data", "files", type=click.Path(path_type=Path), multiple=True, help="JSONL rows; repeatable.")
_MAP = click.option("--map", "mapping", default="", help="How a public set is read: reintel, constraint, rumor, ...")


@click.command("train", help="Fit the heads on labelled rows; without --data on the project's own corpus.")
@_DATA
@_MAP
@click.option("--before", type=click.DateTime(["%Y-%m-%d"]), default=None, help="Only rows created before this day.")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed trains the same model.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder for the model.")
@config_option
def train_command(
    files: tuple[Path, ...], mapping: str, before: datetime | None, seed: int, out: Path, config: Path | None
) -> None:
    """Needs no torch: the encoder stays frozen."""
    from classifier.heads import save_heads
    from classifier.training import Training, train_model

    where = settings.places(os.environ, config)
    rows = _rows(files, mapping, before=before)
    claims = read_library(where.config.parent / "claims")
    with bar("train", len(rows) + 6, "steps") as advance:
        heads = train_model(_encoder(where), Training(rows=rows, claims=claims, seed=seed, version=out.name), advance)
    try:
        save_heads(heads, out)
    except OSError as error:
        raise ConfigError(f"{out}: cannot be written ({error.strerror}): name another folder") from error
    echo_json({"out": str(out), **heads.card})


@click.command("evaluate", help="Measure a model on labelled rows; prints JSON, each figure [value, low, high].")
@_DATA
@_MAP
@click.option("--model", "folder", type=click.Path(path_type=Path), default=None, help="Default: the shipped model.")
@click.option(
    "--after", type=click.DateTime(["%Y-%m-%d"]), default=None, help="Only rows created on or after this day."
)
@config_option
def evaluate_command(
    files: tuple[Path, ...], mapping: str, folder: Path | None, after: datetime | None, config: Path | None
) -> None:
    """AUC, AP, F1, ECE and recall at fixed review loads, per language and slice."""
    from classifier.evaluate import evaluate
    from jobs.assess import ready_model

    where = settings.places(os.environ, config)
    rows = _rows(files, mapping, after=after)
    model = ready_model(where, settings.load(where.config, os.environ), folder=folder)
    with bar("evaluate", len(rows)) as advance:
        said = model.judge([row.text for row in rows], advance)
    echo_json(evaluate(rows, [one.p_false for one in said], threshold=model.thresholds["p_false"]))


@click.group("model", help="Models: build the encoder, list.")
def model_command() -> None:
    """What is served and what could be."""


@model_command.command("build", help="Build the encoder for this machine now instead of at first use.")
@config_option
def build_model(config: Path | None) -> None:
    """Idempotent; prints where it is and which variant was chosen."""
    from classifier.encoder import Encoder
    from jobs.assess import build_encoder

    where = settings.places(os.environ, config)
    folder = build_encoder(where)
    click.echo(f"{Encoder.open(folder).name} in {folder}")


@model_command.command("list", help="The shipped models with their cards as JSON.")
def list_models() -> None:
    """Newest last; the last one is served."""
    from classifier.heads import load_heads
    from classifier.serving import SHIPPED

    echo_json([dict(load_heads(path).card) for path in sorted(SHIPPED.iterdir()) if (path / "model.json").exists()])


def _encoder(where: settings.Places) -> "Encoder":
    from classifier.encoder import Encoder
    from jobs.assess import build_encoder

    return Encoder.open(build_encoder(where))


def _rows(
    files: Sequence[Path], mapping: str, *, before: datetime | None = None, after: datetime | None = None
) -> "list[Row]":
    from classifier.rows import corpus, read_rows

    rows = read_rows(files, mapping) if files else corpus()
    start, end = _midnight(after), _midnight(before)
    kept = [row for row in rows if _within(row.created_at, start, end)]
    if not kept:
        raise ConfigError("no row is left: check --before, --after and created_at")
    return kept


def _within(at: datetime | None, start: datetime | None, end: datetime | None) -> bool:
    if start is None and end is None:
        return True
    return at is not None and (start is None or at >= start) and (end is None or at < end)


def _midnight(day: date | None) -> datetime | None:
    return datetime.combine(day, time(), UTC) if day else None
