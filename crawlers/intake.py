"""Makes records of what parsers found: ids and pseudonyms keyed, links sealed, days settled. No name goes further."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from claimwatch.clock import local_day, week_of
from claimwatch.desk import Desk
from claimwatch.keys import author_key
from claimwatch.ledger import reports, secrets
from claimwatch.records import Observation, Post
from claimwatch.text.copies import bands
from claimwatch.text.fold import slot_of, text_hash
from crawlers.dates import is_plausible
from crawlers.page import Found


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """What one crawl or import needs to make records, read once."""

    desk: Desk
    source: str
    now: datetime
    quarter_key: bytes
    closed_weeks: Collection[str]  #: weeks whose report is published

    def post(self, found: Found) -> Post:
        """The record of a post as found."""
        keys, body = self.desk.keys, text_hash(found.text)
        public = found.url_is_public and bool(found.url)
        created = plausible(found.created_at, self.now)
        return Post(
            id=keys.post_id(found.platform, found.uri),
            source=self.source,
            platform=found.platform,
            created_at=created,
            collected_at=self.now,
            first_seen=self.now,
            day=self.day(created),
            language=found.language,
            title=found.title,
            text=found.text,
            text_hash=body,
            author_key=author_key(self.quarter_key, found.platform, found.author),
            url=found.url if public else None,
            sealed_url=keys.seal_link(found.url) if found.url and not public else None,
            edited_at=found.edited_at,
            reply_to=keys.post_id(found.platform, found.reply_to) if found.reply_to else None,
            repost_of=keys.post_id(found.platform, found.repost_of) if found.repost_of else None,
            bands=bands(found.text),
            slot=slot_of(body),
            expires_at=self.now + timedelta(days=self.desk.settings.keep.unflagged),
        )

    def observation(self, found: Found) -> Observation | None:
        """The engagement shown beside a post; None where the source shows none."""
        if found.likes is found.shares is found.replies is found.views is None:
            return None
        return Observation(
            post=self.desk.keys.post_id(found.platform, found.uri),
            source=self.source,
            at=self.now,
            likes=found.likes,
            shares=found.shares,
            replies=found.replies,
            views=found.views,
        )

    def day(self, created: datetime | None) -> date:
        """The local day a post counts for; the day of collection where its own week is published already."""
        zone = self.desk.settings.zone
        today = local_day(self.now, zone)
        day = local_day(created, zone) if created else today
        return today if week_of(day) in self.closed_weeks or day > today else day

    def is_old(self, found: Found) -> bool:
        """Whether a crawl leaves the post out for its age."""
        created = plausible(found.created_at, self.now)
        return created is not None and created < self.now - timedelta(days=self.desk.settings.crawl.max_age_days)


def open_intake(desk: Desk, source: str) -> Intake:
    """The intake of one crawl or import that begins now."""
    now = desk.now()
    with desk.ledger.write() as db:
        key = secrets.quarter_key(db, now)
        closed = reports.weeks(db)
    return Intake(desk=desk, source=source, now=now, quarter_key=key, closed_weeks=closed)


def plausible(at: datetime | None, now: datetime) -> datetime | None:
    """The instant, if a post can have been made then."""
    return at if at is not None and is_plausible(at, now) else None
