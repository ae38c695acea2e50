"""Keeps one page: posts first and acknowledged, then cursor, counts and run in one ledger transaction."""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from claimwatch import metrics
from claimwatch.ledger import runs, sources
from crawlers.intake import Intake
from crawlers.page import Found, Page


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One page's place in a crawl."""

    query: str
    run: int
    before: Mapping[str, Any]  #: the cursor before this page; with source and query it names the write
    after: Mapping[str, Any]  #: the cursor once this page is kept
    drop_old: bool = True  #: False for imports and asked-for backfills
    platform: str = ""  #: of the page's posts, to know again one that its source has deleted


def keep_page(intake: Intake, page: Page, step: Step) -> Counter[str]:
    """Keep a page; the outcome counts, one per post. Safe to repeat after a kill at any point."""
    desk = intake.desk
    old = [found for found in page.posts if step.drop_old and intake.is_old(found)]
    fresh = [found for found in page.posts if found not in old]
    outcomes = _store(intake, fresh, token(intake.source, step.query, step.before))
    counts = Counter(outcomes)
    counts.update({"dropped(old)": len(old)} if old else {})
    counts.update(_dropped(intake, page, step.platform))
    counts.update(f"rejected({one.reason})" for one in page.rejected)
    with desk.ledger.write() as db:
        sources.set_aside(db, intake.source, [(one.reason, one.row) for one in page.rejected], intake.now)
        sources.move_cursor(db, intake.source, step.query, state=step.after, now=intake.now)
        runs.count(db, step.run, counts)
    metrics.count_posts(step.platform, counts)
    return counts


def token(source: str, query: str, before: Mapping[str, Any]) -> str:
    """The name of a write: source, query and the cursor before the page."""
    cursor = json.dumps(before, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(f"{source}\x00{query}\x00{cursor}".encode()).hexdigest()[:24]


def _dropped(intake: Intake, page: Page, platform: str) -> list[str]:
    """The outcome of each dropped post. One deleted at its source that is kept here is deleted here too."""
    keys, posts = intake.desk.keys, intake.desk.posts
    gone = {keys.post_id(platform, one.uri) for one in page.dropped if one.reason == "deleted" and one.uri}
    kept = posts.get(gone)
    posts.forget(list(kept), intake.now)
    deleted = [one for one in page.dropped if keys.post_id(platform, one.uri) in kept]
    return ["deleted"] * len(deleted) + [f"dropped({one.reason})" for one in page.dropped if one not in deleted]


def _store(intake: Intake, found: list[Found], name: str) -> list[str]:
    posts = intake.desk.posts
    outcomes = posts.add([intake.post(one) for one in found], token=name)
    seen = [one for one, outcome in zip(found, outcomes, strict=True) if not outcome.startswith("dropped")]
    posts.observe([shown for one in seen if (shown := intake.observation(one))])
    return outcomes
