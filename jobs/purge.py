"""Forgetting in time: expired posts leave their counts behind, old rows and texts go."""

from collections.abc import Callable
from datetime import timedelta

from claimwatch.desk import Desk
from claimwatch.ledger import counts, decisions, secrets, sources
from claimwatch.posts.base import BATCH


def purge(desk: Desk, progress: Callable[[int], None] = lambda _: None) -> dict[str, int]:
    """Delete what has outlived its keeping time; how much of each. A kill at any point is taken up again."""
    posts = _finish_swept(desk)
    while marked := _purge_batch(desk):
        posts += marked
        progress(marked)
        if marked < BATCH:
            break
    now, keep = desk.now(), desk.settings.keep
    with desk.ledger.write() as db:
        return {
            "posts": posts,
            "rejected_rows": sources.drop_aside(db, now - timedelta(days=keep.rejected)),
            "decision_texts": decisions.forget_texts(db, now - timedelta(days=keep.decision_texts)),
            "author_keys": secrets.drop_author_keys(db, now),
        }


def _purge_batch(desk: Desk) -> int:
    """Mark, commit the marked posts' counts, then delete: a post is counted in exactly one of the two stores."""
    now = desk.now()
    with desk.ledger.write() as db:
        batch = counts.open_batch(db, now)
    rows = desk.posts.expire(now, batch=batch, limit=BATCH)
    if not rows:
        return 0
    with desk.ledger.write() as db:
        counts.commit_batch(db, batch, rows)
    return _sweep(desk, batch)


def _finish_swept(desk: Desk) -> int:
    """Batches whose counts were committed and whose posts a kill has left."""
    with desk.ledger.read() as db:
        left = counts.committed(db, swept=False)
    return sum(_sweep(desk, batch) for batch in left)


def _sweep(desk: Desk, batch: int) -> int:
    swept = desk.posts.sweep(batch, desk.now())
    with desk.ledger.write() as db:
        counts.mark_swept(db, batch)
    return swept
