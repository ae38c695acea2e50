"""The work after a crawl: assess, group, queue. And a model made ready to do it."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from claimwatch.desk import Desk
from claimwatch.projector import project_decisions
from claimwatch.settings import Places, Settings

if TYPE_CHECKING:
    from classifier.model import Model
    from classifier.serving import HeadModel


def assess_new_posts(desk: Desk, model: "Model", progress: Callable[[int], None] = lambda _: None) -> dict[str, int]:
    """Assess, group and queue what is new; posts flagged, passed and grouped, and cards scored."""
    from classifier.classify import classify_new_posts
    from classifier.rematch import match_new_claims

    match_new_claims(desk, model)
    outcomes = classify_new_posts(desk, model, progress=progress)
    placed, cards = queue_new_posts(desk)
    return {"flagged": outcomes["flagged"], "passed": outcomes["passed"], "grouped": placed, "cards": cards}


def queue_new_posts(desk: Desk, progress: Callable[[int], None] = lambda _: None) -> tuple[int, int]:
    """Group and queue what was assessed; posts grouped and cards scored. `progress` hears of the cards."""
    from classifier.cards import rescore
    from classifier.grouping import group_new_posts
    from crawlers.crawl import holder_name

    placed = group_new_posts(desk, holder_name())
    project_decisions(desk)
    desk.posts.refresh()
    return placed, rescore(desk, progress)


def ready_model(where: Places, chosen: Settings, *, folder: Path | None = None) -> "HeadModel":
    """The model of a folder, else the one served here, its encoder built first where this machine has none yet."""
    from classifier.serving import open_model
    from jobs.cli.options import steps

    build_encoder(where, chosen.classify.variant)
    with steps("trying the model in bytes (once on this machine)") as progress:
        return open_model(where.cache, chosen.classify, folder=folder or served_folder(where), progress=progress)


def served_folder(where: Places) -> Path:
    """Where the model to serve now stands: the one promoted last, else the shipped one. A glance, made often."""
    from classifier.registry import Registry

    return Registry(where.data).serving()


def build_encoder(where: Places, variant: str = "auto") -> Path:
    """The encoder's folder in the cache, built once, with a progress bar."""
    from classifier.variants import build
    from jobs.cli.options import steps

    with steps("building the encoder (once on this machine)") as progress:
        return build(where.cache / "encoder", progress, only=None if variant == "auto" else variant)
