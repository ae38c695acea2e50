"""train, evaluate, tune, model: making models, knowing how good they are, choosing which is served."""

import os
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from claimwatch import settings
from claimwatch.errors import ConfigError
from jobs.cli.options import bar, config_option, desk_of, echo_json
from jobs.opening import read_library

if TYPE_CHECKING:
    from classifier.encoder import Encoder
    from classifier.heads import Heads
    from classifier.rows import Row
    from classifier.serving import HeadModel
    from classifier.training import Training

_DATA = click.option("--data", "files", type=click.Path(path_type=Path), multiple=True, help="JSONL rows; repeatable.")
_MAP = click.option("--map", "mapping", default="", help="How a public set is read: reintel, constraint, rumor, ...")


@click.command("train", help="Train a model on labelled rows; without --data on the project's own corpus.")
@_DATA
@_MAP
@click.option(
    "--valid",
    "valid_files",
    type=click.Path(path_type=Path),
    multiple=True,
    help="JSONL rows that are not learnt: they choose epoch and thresholds. Without, an eighth of the claims does.",
)
@click.option("--before", type=click.DateTime(["%Y-%m-%d"]), default=None, help="Only rows created before this day.")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed trains the same model.")
@click.option("--out", type=click.Path(path_type=Path), default=None, help="Folder for the model; needed with --data.")
@click.option(
    "--from-decisions",
    is_flag=True,
    help="Learn from the corpus and the team's decisions, then compare with the model that is served.",
)
@click.option(
    "--method",
    type=click.Choice(["auto", "tune", "heads"]),
    default="auto",
    show_default=True,
    help="tune: fine-tune the encoder's layers too (needs claimwatch[train]); heads: the linear heads alone; "
    "auto: tune where that is installed; with --from-decisions, heads beside the served model's tuned layers.",
)
@click.option(
    "--layers",
    type=click.Choice(["auto", "upper", "all"]),
    default="auto",
    show_default=True,
    help="Which layers are fine-tuned. upper: three above those that every model shares, a quarter more work a post "
    "when served; all: every layer, better where the rows are thousands of real posts, twice the work a post; auto: "
    "all with --data, upper for the corpus.",
)
@click.option("--epochs", type=click.IntRange(1), default=None, help="At most so many passes over the rows.")
@click.option("--without-frozen", is_flag=True, help="Leave the corpus' frozen set out, to be measured on it.")
@click.option("--promote", "wants_promotion", is_flag=True, help="After --from-decisions: serve it if it is not worse.")
@config_option
def train_command(  # noqa: PLR0913  one for each option
    *,
    files: tuple[Path, ...],
    mapping: str,
    valid_files: tuple[Path, ...],
    before: datetime | None,
    seed: int,
    out: Path | None,
    from_decisions: bool,
    without_frozen: bool,
    method: str,
    layers: str,
    epochs: int | None,
    wants_promotion: bool,
    config: Path | None,
) -> None:
    """The same seed and rows make the same model on one machine; a run that was stopped goes on where it was."""
    if from_decisions:
        if files or mapping or valid_files or before or epochs or layers != "auto" or without_frozen:
            raise ConfigError(
                "--from-decisions learns from the corpus outside the frozen set and the decisions: "
                "leave --data, --map, --valid, --before, --epochs, --layers, --without-frozen out"
            )
        name = out.name if out else ""
        _train_from_decisions(config, name, seed, tune=_tunes(method), wants_promotion=wants_promotion)
        return
    if out is None or wants_promotion:
        raise ConfigError("name a folder with --out; `claimwatch model promote` serves it")
    if without_frozen and files:
        raise ConfigError("--without-frozen is about the project's own corpus: leave --data out")
    if valid_files and not files:
        raise ConfigError("--valid goes with --data: the corpus holds an eighth of its own claims out")
    from classifier.training import Training

    where = settings.places(os.environ, config)
    rows, valid = _learnt_and_valid(files, valid_files, mapping, before)
    wanted = Training(
        rows=_split_corpus()[0] if without_frozen else rows,
        valid=valid,
        claims=read_library(where.config.parent / "claims"),
        seed=seed,
        version=out.name,
        about=_about(files, without_frozen=without_frozen),
    )
    whole = layers == "all" or (layers == "auto" and bool(files))
    _train(where, wanted, out, method, epochs, whole=whole)


def _learnt_and_valid(
    files: Sequence[Path], valid_files: Sequence[Path], mapping: str, before: datetime | None
) -> "tuple[list[Row], list[Row]]":
    """What to learn from, of no claim or cluster that is held out, and what chooses."""
    from classifier.rows import read_rows

    if not valid_files:
        return _rows(files, mapping, before=before), []
    every = read_rows([*files, *valid_files], mapping)  # at once, so that copies on both sides are seen
    learnt = len(read_rows(files, mapping))
    held = {row.cluster for row in every[learnt:]}
    kept = _dated([row for row in every[:learnt] if row.cluster not in held], before=before)
    return kept, every[learnt:]


def _train(
    where: settings.Places, wanted: "Training", out: Path, method: str, epochs: int | None, *, whole: bool
) -> None:
    from classifier.frozen import digest
    from classifier.model_card import brief
    from classifier.training import can_tune, save_model, train_model

    _tunes(method)
    encoder = _encoder(where)
    if method == "heads" or not can_tune():
        if method == "auto":
            click.echo("training linear heads alone: pip install 'claimwatch[train]' to fine-tune", err=True)
        with bar("train", len(wanted.rows) + (len(wanted.valid) or 6), "steps") as advance:
            heads = train_model(encoder, wanted, advance)
    else:
        heads = _tune(encoder, wanted, out, epochs, whole=whole)
    save_model(heads, out)
    if wanted.about == _about([], without_frozen=True):
        frozen = _split_corpus()[1]
        figures = _measured(_reading_all(where, out, "float32"), frozen)
        told = {"of": digest(frozen), **brief(figures, figures["flags"])}
        heads = replace(heads, card={**heads.card, "frozen_set": told})
        save_model(heads, out)
    served = _reading_all(where, out)  # which builds what serves it here, and tries it in bytes
    echo_json({"out": str(out), "served_in": served.encoder, **heads.card})


def _tune(encoder: "Encoder", wanted: "Training", out: Path, epochs: int | None, *, whole: bool) -> "Heads":
    from classifier.finetune import Recipe
    from classifier.training import tune_model, work

    recipe = Recipe.of_all_layers() if whole else Recipe()
    recipe = replace(recipe, epochs=epochs) if epochs else recipe
    with bar("fine-tune", work(wanted, recipe)) as advance:
        return tune_model(encoder, wanted, out, recipe, advance)


def _split_corpus() -> "tuple[list[Row], list[Row]]":
    """The corpus outside its frozen set, and inside."""
    from classifier.frozen import split
    from classifier.rows import corpus

    return split(corpus())


def _about(files: Sequence[Path], *, without_frozen: bool) -> dict[str, object]:
    """For the card: files by name alone, and whether the frozen rows were among what was learnt."""
    names = [file.name for file in files]
    return {"data": ", ".join(names) or "corpus", "frozen": "left out" if files or without_frozen else "learnt"}


def _tunes(method: str) -> bool:
    """Whether fine-tuning was asked for by name. ConfigError where it cannot be had."""
    from classifier.training import can_tune

    if method == "tune" and not can_tune():
        raise ConfigError("fine-tuning needs torch, transformers and peft: pip install 'claimwatch[train]'")
    return method == "tune"


def _train_from_decisions(config: Path | None, name: str, seed: int, *, tune: bool, wants_promotion: bool) -> None:
    from jobs.promotion import Trial, promote, write_comparison

    with desk_of(config) as (desk, where), bar("train", unit="steps") as advance:
        trial = Trial(desk, where, advance)
        entry, decided = trial.train(name or f"{desk.now():%Y-%m-%d}-decisions", seed, tune=tune)
        found = trial.compare(entry)
        write_comparison(entry.folder, found)
        if wants_promotion:
            promote(trial, entry, found)
    older, newest = decided.older_and_newest()
    counted = {"learnt": len(older), "held": len(newest)} | {
        what: getattr(decided, what) for what in ("undone", "skipped", "superseded", "emptied")
    }
    echo_json({"model": entry.name, "decisions": counted, "comparison": found.as_dict(), "promoted": wants_promotion})


@click.command(
    "evaluate",
    help="Measure a model on labelled rows, each read by the encoder; prints JSON, each figure [value, low, high], "
    "and what the gate would have turned away.",
)
@_DATA
@_MAP
@click.option(
    "--model", "folder", type=click.Path(path_type=Path), default=None, help="Default: the model that is served."
)
@click.option(
    "--after", type=click.DateTime(["%Y-%m-%d"]), default=None, help="Only rows created on or after this day."
)
@config_option
def evaluate_command(
    files: tuple[Path, ...], mapping: str, folder: Path | None, after: datetime | None, config: Path | None
) -> None:
    """AUC, AP, F1, ECE and recall at fixed review loads, per language, kind of post and register."""
    where = settings.places(os.environ, config)
    echo_json(_measured(_reading_all(where, folder), _rows(files, mapping, after=after)))


def _reading_all(where: settings.Places, folder: Path | None, variant: str = "") -> "HeadModel":
    """The model of a folder as it is served on this machine, or in a variant, but for its gate: it reads every row."""
    from jobs.assess import ready_model

    chosen = settings.load(where.config, os.environ)
    changed = {"gate": False} | ({"variant": variant} if variant else {})
    every = chosen.model_copy(update={"classify": chosen.classify.model_copy(update=changed)})
    return ready_model(where, every, folder=folder)


def _measured(model: "HeadModel", rows: "Sequence[Row]") -> dict[str, Any]:
    """Every figure of the model on these rows, what it flags, and what its gate would have turned away."""
    from classifier.evaluate import evaluate, flag_shares, gate_shares

    texts = [row.text for row in rows]
    with bar("evaluate", len(rows)) as advance:
        said = model.judge(texts, advance)
    scores, stances = [one.p_false for one in said], [one.stance for one in said]
    figures = evaluate(rows, scores, threshold=model.thresholds["p_false"], stances=stances)
    flags, away = [one.flag for one in said], model.turned_away(texts).tolist()
    return figures | {"flags": flag_shares(rows, flags), "gate": gate_shares(rows, flags, away)}


@click.command("tune", help="What other thresholds would have done, by the team's own decisions; prints JSON.")
@config_option
def tune_command(config: Path | None) -> None:
    """Precision, recall and queue a week at each threshold, per language; changes nothing."""
    from claimwatch.tuning import tune

    with desk_of(config) as (desk, _):
        echo_json(tune(desk))


@click.group("model", help="Models: build the encoder, list, promote, roll back.")
def model_command() -> None:
    """What is served and what could be."""


@model_command.command("build", help="Build the encoder for this machine now instead of at first use.")
@config_option
def build_model(config: Path | None) -> None:
    """Idempotent; prints where it is and which variant the served model runs in."""
    from jobs.assess import ready_model

    where = settings.places(os.environ, config)
    model = ready_model(where, settings.load(where.config, os.environ))
    click.echo(f"{model.encoder} in {where.cache / 'encoder'}")


@model_command.command("list", help="Every model with its card as JSON: shipped, and kept in the data folder.")
@config_option
def list_models(config: Path | None) -> None:
    """One of them is served."""
    from classifier.registry import Registry

    where = settings.places(os.environ, config)
    listed = Registry(where.data).entries()
    echo_json(
        [{"name": one.name, "serving": one.serving, "shipped": one.shipped, "card": dict(one.card)} for one in listed]
    )


@model_command.command(
    "promote", help="Compare a model with the one that is served; serve it from now on if it is not worse."
)
@click.argument("model")
@click.option("--force", default="", metavar="REASON", help="Promote it even if it is worse; the reason is kept.")
@config_option
def promote_model(model: str, force: str, config: Path | None) -> None:
    """MODEL is a folder of `train --out` or the name of a model that `model list` shows."""
    from classifier.registry import Registry
    from jobs.promotion import Trial, promote, write_comparison

    with desk_of(config) as (desk, where), bar("compare") as advance:
        registry = Registry(where.data)
        entry = registry.adopt(Path(model)) if Path(model).is_dir() else registry.find(model)
        if entry.folder == registry.serving():
            raise ConfigError(f"{entry.name} is the model that is served: there is nothing to promote")
        trial = Trial(desk, where, advance)
        found = trial.compare(entry)
        if not entry.shipped:
            write_comparison(entry.folder, found)
        promote(trial, entry, found, force=force)
    echo_json({"promoted": entry.name, "before": found.champion, "forced": force, "comparison": found.as_dict()})


@model_command.command("rollback", help="Serve again what was served before the last promotion.")
@config_option
def rollback_model(config: Path | None) -> None:
    """Workers and pages notice by themselves."""
    from classifier.registry import Registry
    from jobs.promotion import note_change

    with desk_of(config) as (desk, where):
        registry = Registry(where.data)
        before = registry.serving().name
        name = registry.rollback()
        note_change(desk, {"what": "rolled back", "model": name, "before": before})
    echo_json({"serving": name, "before": before})


def _encoder(where: settings.Places) -> "Encoder":
    """In full precision wherever the model is served: the same rows make the same model on every kind of processor."""
    from classifier.encoder import Encoder
    from jobs.assess import build_encoder

    return Encoder.open(build_encoder(where), variant="float32")


def _rows(
    files: Sequence[Path], mapping: str, *, before: datetime | None = None, after: datetime | None = None
) -> "list[Row]":
    from classifier.rows import corpus, read_rows

    return _dated(read_rows(files, mapping) if files else corpus(), before=before, after=after)


def _dated(rows: "list[Row]", *, before: datetime | None = None, after: datetime | None = None) -> "list[Row]":
    """The rows created on or after one day and before another. ConfigError where none is left."""
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
