"""Folds copies into groups, one job at a time, oldest post first, so that the number of workers does not matter."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from claimwatch.desk import Desk
from claimwatch.errors import StoreError
from claimwatch.ledger import decisions, sources
from claimwatch.posts.base import Assessed, Work
from claimwatch.records import Assessment, Card, CardState, Decision, Post, State
from claimwatch.text.copies import are_copies
from classifier.audit import draw_audits
from classifier.cards import Flagged, open_cards
from classifier.classify import ALL_SLOTS, in_pages

_LEASE = "grouping"
#: Members moved at once when two groups turn out to be one.
_MOVED = 10_000


@dataclass(slots=True)
class _Pass:
    """What one page has placed and not yet written, with what it has looked up."""

    desk: Desk
    stances: dict[str, str | None] = field(default_factory=dict)
    placed: dict[str, str] = field(default_factory=dict)
    by_band: dict[str, list[Post]] = field(default_factory=dict)
    standing: dict[str, Decision | None] = field(default_factory=dict)
    merged: dict[str, str] = field(default_factory=dict)


def group_new_posts(desk: Desk, holder: str) -> int:
    """Place every assessed post into its group and open cards for flagged ones; how many were placed.

    Returns 0 at once while another holder groups.
    """
    with desk.ledger.write() as db:
        if not sources.acquire(db, _LEASE, holder):
            return 0
    try:
        desk.posts.refresh()
        return sum(
            _place_page(desk, page, holder) for page in in_pages(desk.posts, Work(stage="group"), ALL_SLOTS, 256)
        )
    finally:
        with desk.ledger.write() as db:
            sources.release(db, _LEASE, holder)


def _place_page(desk: Desk, page: Sequence[Post], holder: str) -> int:
    with desk.ledger.write() as db:
        if not sources.acquire(db, _LEASE, holder):
            raise StoreError("another process took the grouping over: this one stops, nothing is lost")
    assessments = desk.posts.assessments([post.id for post in page])
    here = _Pass(desk, {post_id: said.stance for post_id, said in assessments.items()})
    for post in page:
        _place(here, post)
    drawn = draw_audits(desk, page, assessments, here.placed)
    flagged = [
        Flagged(post=replace(post, group=here.placed[post.id]), by=_assessed(desk, said))
        for post in page
        if (said := assessments.get(post.id)) and (said.flag or post.id in drawn)
    ]
    open_cards(desk, flagged)
    _fold_cards(desk, here.merged)
    desk.posts.place(here.placed)
    desk.posts.refresh()  # the next page looks for copies among these
    return len(page)


def _assessed(desk: Desk, said: Assessment) -> Assessed:
    return Assessed(assessment=said, matches=tuple(desk.posts.matches([said.post]).get(said.post, ())))


def _place(here: _Pass, post: Post) -> None:
    """Give the post the oldest group that will have it, or its own id for a new one."""
    linked = [group for group in _linked_groups(here, post) if _admits(here, group, post)]
    group = linked[0] if linked else _own_group(here, post)
    for younger in linked[1:]:
        _merge(here, younger, group)
    here.placed[post.id] = group
    for band in post.bands:
        here.by_band.setdefault(band, []).append(post)


def _own_group(here: _Pass, post: Post) -> str:
    """The post's own id; where copies of the text it had before an edit still bear that id, one of its own text."""
    if post.state is not State.EDITED:
        return post.id
    others = [one for one in here.desk.posts.members(post.id, limit=2) if one.id != post.id]
    return f"{post.id}~{post.text_hash[:8]}" if others else post.id


def _linked_groups(here: _Pass, post: Post) -> list[str]:
    """The groups that hold a copy of the post, the one met first leading."""
    groups: dict[str, None] = {}
    for other in _candidates(here, post):
        group = _final(here, here.placed.get(other.id) or other.group or other.id)
        if group not in groups and are_copies(post.text, _stance(here, post), other.text, _stance(here, other)):
            groups[group] = None
    return list(groups)


def _candidates(here: _Pass, post: Post) -> Iterator[Post]:
    """Posts that share a band, stored ones first, one per text."""
    stored = here.desk.posts.kin(post.bands) if post.bands else []
    missing = [other.id for other in stored if other.id not in here.stances]
    found = here.desk.posts.assessments(missing)
    here.stances.update({other: found[other].stance if other in found else None for other in missing})
    seen: set[tuple[str, str | None]] = set()
    local = [other for band in post.bands for other in here.by_band.get(band, [])]
    for other in [*stored, *local]:
        key = (other.text_hash, here.placed.get(other.id) or other.group)
        if other.id != post.id and key not in seen:
            seen.add(key)
            yield other


def _admits(here: _Pass, group: str, post: Post) -> bool:
    """A decided group takes only posts that are copies of the very text that was judged: those inherit."""
    if group not in here.standing:
        with here.desk.ledger.read() as db:
            here.standing[group] = decisions.standing_decision(decisions.of_card(db, group))
    held = here.standing[group]
    return held is None or are_copies(post.text, None, held.text, None)


def _merge(here: _Pass, younger: str, older: str) -> None:
    """Two undecided groups that one post links are one; decided ones stay apart."""
    if here.standing.get(younger) or here.standing.get(older):
        return
    here.merged[younger] = older
    moving = {post.id: older for post in here.desk.posts.members(younger, limit=_MOVED)}
    here.placed.update(moving | {post: older for post, group in here.placed.items() if group == younger})


def _fold_cards(desk: Desk, merged: Mapping[str, str]) -> None:
    """Mark the younger cards as merged; the older gets a card if only the younger had one."""
    have = desk.posts.card([*merged, *merged.values()])
    folded: list[Card] = []
    for younger, older in merged.items():
        if younger in have:
            folded.append(replace(have[younger], state=CardState.MERGED))
            if older not in have:
                folded.append(replace(have[younger], id=older))
    desk.posts.put_cards(folded)


def _final(here: _Pass, group: str) -> str:
    while group in here.merged:
        group = here.merged[group]
    return group


def _stance(here: _Pass, post: Post) -> str | None:
    return here.stances.get(post.id)
