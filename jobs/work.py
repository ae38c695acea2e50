"""The work itself, whoever says when: each piece is safe to stop at any point and to run again."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from claimwatch.clock import week_before, week_of
from claimwatch.desk import Desk
from claimwatch.ledger import reports, runs, sources
from claimwatch.projector import project_decisions
from claimwatch.settings import Places, Settings
from jobs.assess import assess_new_posts, queue_new_posts, ready_model, served_folder
from jobs.purge import purge

if TYPE_CHECKING:
    from classifier.model import Model
    from crawlers.crawl import Crawled

_log = logging.getLogger(__name__)
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class StoppedError(Exception):
    """The worker was told to end: a job left off after a page."""


@dataclass(slots=True)
class Work:
    """What a worker does for one desk. The model is opened when it is first needed, and anew after a promotion."""

    desk: Desk
    where: Places
    model: Model | None = None
    opened: Path | None = None  #: the folder it is of; None for a model that was handed in, which stays
    stopping: threading.Event = field(default_factory=threading.Event)
    neighbours: Callable[[], int] = lambda: 1  #: workers that share this machine's cores, this one included

    async def crawl(self, name: str) -> Crawled:
        """Crawl one source, in the loop of `event_loop`."""
        from crawlers.crawl import crawl_source

        with self.desk.ledger.read() as db:
            source = sources.get(db, name)
        return await crawl_source(self.desk, source)

    async def recheck(self) -> None:
        """Look posts that matter up at their sources and delete what is gone there, in the loop of `event_loop`."""
        from crawlers.recheck import recheck

        await recheck(self.desk, goes_on=lambda: not self.stopping.is_set())

    def project(self) -> None:
        """Carry decisions that a kill left waiting to the posts."""
        project_decisions(self.desk)

    def classify(self) -> None:
        """Assess, group and queue what is new."""
        self._go_on()
        done = assess_new_posts(self.desk, self._ready(), self._go_on)
        _log.info("classified: %s", ", ".join(f"{name} {count}" for name, count in done.items()))

    def match(self) -> None:
        """Match new and changed claims to posts judged before they came."""
        from classifier.rematch import match_new_claims

        self._go_on()
        match_new_claims(self.desk, self._ready())

    def assess(self, slots: range) -> None:
        """Assess what is new in these slots."""
        from classifier.classify import classify_new_posts

        self._go_on()
        done = classify_new_posts(self.desk, self._ready(), slots=slots, progress=self._go_on)
        _log.info("classified slots %d to %d: %s", slots.start, slots.stop - 1, dict(done))

    def group(self) -> None:
        """Group and queue what was assessed."""
        self._go_on()
        placed, cards = queue_new_posts(self.desk, self._go_on)
        _log.info("grouped %d posts, %d cards are open", placed, cards)

    def rescore(self) -> None:
        """Give open cards their present priority."""
        from classifier.cards import rescore

        self._go_on()
        rescore(self.desk, self._go_on)

    def purge(self) -> None:
        """Forget what has outlived its keeping time."""
        self._go_on()
        purge(self.desk, self._go_on)

    def report(self) -> None:
        """Publish the week that is over."""
        from reports.publish import publish_week

        today = self.desk.now().astimezone(self.desk.settings.zone).date()
        publish_week(self.desk, week_before(week_of(today)))

    def report_is_due(self) -> bool:
        """Whether the hour of the weekly report passed while this desk was at work and nobody published it."""
        when, now = self.desk.settings.schedule, self.desk.now().astimezone(self.desk.settings.zone)
        hour = now.replace(hour=when.report_hour, minute=0, second=0, microsecond=0)
        hour -= timedelta(days=(hour.weekday() - _DAYS.index(when.report_day)) % 7)
        if hour > now:
            hour -= timedelta(days=7)
        week = week_before(week_of(hour.date()))
        with self.desk.ledger.read() as db:
            missing = reports.newest(db, week) is None
            at_work = bool(runs.between(db, hour - timedelta(days=1), hour))
        return missing and at_work and week == week_before(week_of(now.date()))

    def note_failure(self, name: str, error: Exception) -> None:
        """Keep in the ledger that a piece of work failed, for the status page and the report."""
        with self.desk.ledger.write() as db:
            run = runs.start(db, name, self.desk.now())
            runs.finish(db, run, self.desk.now(), status="failed", message=f"{type(error).__name__}: {error}"[:300])

    def _go_on(self, _: int = 0) -> None:
        """Between two pages of a long job: whether to go on."""
        if self.stopping.is_set():
            raise StoppedError

    def _ready(self) -> Model:
        if self.model is None or self.opened:
            folder = served_folder(self.where)
            if self.model is None or folder != self.opened:
                self.model, self.opened = ready_model(self.where, self._chosen()), folder
        return self.model

    def _chosen(self) -> Settings:
        """The settings, with this worker's share of the cores: encoders that contend for them cost a third more."""
        chosen, workers = self.desk.settings, self.neighbours()
        if chosen.classify.threads is not None or workers == 1:
            return chosen
        share = max(1, len(os.sched_getaffinity(0)) // workers)
        return chosen.model_copy(update={"classify": chosen.classify.model_copy(update={"threads": share})})
