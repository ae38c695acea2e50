"""Runs of the stages with their counts: what happened while nobody watched."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from claimwatch import metrics
from claimwatch.ledger.database import inserting
from claimwatch.ledger.tables import run_counts, runs


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of a stage."""

    id: int
    stage: str
    source: str
    started_at: datetime
    ended_at: datetime | None
    status: str  #: running, done, failed
    message: str


def start(db: Connection, stage: str, now: datetime, *, source: str = "") -> int:
    """Note that a run begins; its number."""
    values = {"stage": stage, "source": source, "started_at": now, "status": "running", "message": ""}
    key = db.execute(insert(runs).values(**values)).inserted_primary_key
    assert key is not None
    return int(key[0])


def count(db: Connection, run: int, outcomes: Mapping[str, int]) -> None:
    """Add outcomes to a run, in the transaction that moves its cursor."""
    for outcome, posts in outcomes.items():
        new = inserting(db, run_counts).values(run=run, outcome=outcome, posts=posts)
        more = {"posts": run_counts.c.posts + new.excluded.posts}
        db.execute(new.on_conflict_do_update(index_elements=["run", "outcome"], set_=more))


def finish(db: Connection, run: int, now: datetime, *, status: str = "done", message: str = "") -> None:
    """Note that a run ended."""
    ended = update(runs).where(runs.c.id == run).values(ended_at=now, status=status, message=message)
    stage = db.execute(ended.returning(runs.c.stage)).scalar_one()
    metrics.RUNS.labels(stage=stage, status=status).inc()


def outcomes(db: Connection, run: int) -> Counter[str]:
    """The counts of one run."""
    rows = db.execute(select(run_counts).where(run_counts.c.run == run))
    return Counter({row.outcome: row.posts for row in rows})


def by_source(db: Connection, start: datetime, end: datetime) -> dict[str, Counter[str]]:
    """Crawl and import outcomes per source, of runs begun from `start` up to, not including, `end`."""
    query = (
        select(runs.c.source, run_counts.c.outcome, func.sum(run_counts.c.posts).label("posts"))
        .join(run_counts, run_counts.c.run == runs.c.id)
        .where(runs.c.started_at >= start, runs.c.started_at < end, runs.c.source != "")
        .group_by(runs.c.source, run_counts.c.outcome)
    )
    found: dict[str, Counter[str]] = {}
    for row in db.execute(query):
        found.setdefault(row.source, Counter())[row.outcome] = int(row.posts)
    return found


def between(db: Connection, start: datetime, end: datetime, *, stage: str = "") -> list[Run]:
    """Runs begun from `start` up to, not including, `end`, oldest first."""
    query = select(runs).where(runs.c.started_at >= start, runs.c.started_at < end).order_by(runs.c.id)
    if stage:
        query = query.where(runs.c.stage == stage)
    return [_run(row) for row in db.execute(query)]


def recent(db: Connection, *, limit: int = 30) -> list[Run]:
    """The newest runs first."""
    return [_run(row) for row in db.execute(select(runs).order_by(runs.c.id.desc()).limit(limit))]


def _run(row: Row[Any]) -> Run:
    return Run(**row._mapping)
