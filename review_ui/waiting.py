"""What waits for a decision, in the order that one account sees it."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from claimwatch.desk import Desk
from claimwatch.ledger import decisions
from claimwatch.posts.base import BATCH
from claimwatch.records import Action, Card, CardState, Decision

Place = tuple[float, str]  #: (priority, id), where a page of the queue begins


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """The size of the queue."""

    waiting: int
    decided: int  #: cards settled this week
    oldest: datetime | None
    languages: Mapping[str, int]  #: open cards of each


@dataclass(frozen=True, slots=True)
class Queue:
    """The queue of one account: what it skipped since it signed in comes last."""

    desk: Desk
    skipped: frozenset[str]
    language: str = ""

    def cards(self, after: Place | None = None, *, limit: int) -> list[Card]:
        """Cards after that place, without the skipped ones."""
        found: list[Card] = []
        for card in self._walk(after, limit + 1):
            if card.id not in self.skipped:
                found.append(card)
            if len(found) == limit:
                break
        return found

    def left_behind(self) -> list[Card]:
        """The skipped cards that are still open, most urgent first."""
        cards = _undecided(self.desk, list(self.desk.posts.card(self.skipped).values()))
        wanted = [card for card in cards if card.state is CardState.OPEN and self.language in {"", card.language}]
        return sorted(wanted, key=_order)

    def following(self, card: Card) -> Card | None:
        """The card to look at after this one: the next, else the first, else one that was skipped."""
        for found in (self.cards(place(card), limit=2), self.cards(limit=2), self.left_behind()):
            others = [one for one in found if one.id != card.id]
            if others:
                return others[0]
        return None

    def preceding(self, card: Card) -> Card | None:
        """The card just before this one."""
        before: Card | None = None
        for one in self._walk(None, BATCH):
            if _order(one) >= _order(card):
                break
            if one.id not in self.skipped:
                before = one
        return before

    def _walk(self, after: Place | None, limit: int) -> Iterator[Card]:
        while page := self.desk.posts.cards(language=self.language, after=after, limit=limit):
            yield from _undecided(self.desk, page)
            after = place(page[-1])


def queue_of(desk: Desk, user: int, since: int, *, language: str = "") -> Queue:
    """The queue of an account whose session began after decision number `since`."""
    with desk.ledger.read() as db:
        mine = decisions.recent(db, BATCH, user=user)
    skipped = frozenset(one.card for one in mine if one.action is Action.SKIP and one.id > since)
    return Queue(desk, skipped, language)


def overview(desk: Desk) -> Overview:
    """The size of the whole queue. Cards decided but not yet delivered to the posts store are left out."""
    now = desk.now().astimezone(desk.settings.zone)
    monday = (now - timedelta(days=now.weekday())).replace(hour=0, minute=0, second=0, microsecond=0)
    with desk.ledger.read() as db:
        week = decisions.between(db, monday, desk.now() + timedelta(microseconds=1))
        late = {update.card for _, update in decisions.waiting(db) if update.state is CardState.DECIDED}
    cards = [card for card in every_open(desk) if card.id not in late]
    return Overview(
        waiting=len(cards),
        decided=_settled(week),
        oldest=min((card.opened_at for card in cards), default=None),
        languages=Counter(card.language for card in cards),
    )


def every_open(desk: Desk) -> Iterator[Card]:
    """Every open card, as the posts store has it."""
    after: Place | None = None
    while page := desk.posts.cards(after=after, limit=BATCH):
        yield from page
        after = place(page[-1])


def place(card: Card) -> Place:
    """Where the queue goes on after this card."""
    return card.priority, card.id


def _undecided(desk: Desk, cards: list[Card]) -> list[Card]:
    """Without those that the ledger has decided already, however far the posts store lags."""
    with desk.ledger.read() as db:
        known = decisions.decided(db, [card.id for card in cards])
    return [card for card in cards if card.id not in known or known[card.id].state is not CardState.DECIDED]


def _settled(week: list[Decision]) -> int:
    histories: dict[str, list[Decision]] = {}
    for one in week:
        histories.setdefault(one.card, []).append(one)
    return sum(decisions.standing_decision(history) is not None for history in histories.values())


def _order(card: Card) -> tuple[float, str]:
    return -card.priority, card.id
