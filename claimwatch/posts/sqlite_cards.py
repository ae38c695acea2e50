"""Cards of the review queue, as scored and as decided."""

import sqlite3
from collections.abc import Collection, Sequence

from claimwatch.posts.rows import card_of, card_row, micros
from claimwatch.posts.sqlite_standing import listed, settle_groups
from claimwatch.posts.stances import stance_decided
from claimwatch.records import Card, CardState, CardUpdate

_PUT = """
INSERT INTO cards (id, head, claim, claim_similarity, posts, accounts, engagement, reach, growth, harm, p_false,
  priority, language, model, state, number, opened_at, updated_at, scored_claim, scored_similarity)
VALUES (:id, :head, :claim, :claim_similarity, :posts, :accounts, :engagement, :reach, :growth, :harm, :p_false,
  :priority, :language, :model, :state, :number, :opened_at, :updated_at, :claim, :claim_similarity)
ON CONFLICT (id) DO UPDATE SET
  head = excluded.head, posts = excluded.posts, accounts = excluded.accounts, engagement = excluded.engagement,
  reach = excluded.reach, growth = excluded.growth, harm = excluded.harm, p_false = excluded.p_false,
  priority = excluded.priority, language = excluded.language, model = excluded.model,
  updated_at = excluded.updated_at, number = max(number, excluded.number),
  scored_claim = excluded.claim, scored_similarity = excluded.claim_similarity,
  claim = CASE WHEN state = 'decided' THEN claim ELSE excluded.claim END,
  claim_similarity = CASE WHEN state <> 'decided' OR claim IS excluded.claim THEN excluded.claim_similarity END,
  state = CASE WHEN state = 'decided' THEN state ELSE excluded.state END"""
_PROJECT = """
UPDATE cards SET number = :number, updated_at = :at, decided_stance = :stance,
  state = CASE WHEN state = 'merged' AND :state = 'open' THEN state ELSE :state END,
  claim = CASE WHEN :state = 'decided' THEN :claim ELSE scored_claim END,
  claim_similarity = CASE WHEN :state <> 'decided' OR scored_claim IS :claim THEN scored_similarity END
WHERE id = :card AND number <= :number"""
_IN_STATE = """
SELECT * FROM cards WHERE state = :state AND priority <= :priority AND (priority < :priority OR id > :id)
  AND (:language = '' OR language = :language) AND (:claim = '' OR claim = :claim)
ORDER BY priority DESC, id LIMIT :limit"""
_IN_ANY_STATE = """
SELECT * FROM cards WHERE priority <= :priority AND (priority < :priority OR id > :id)
  AND (:language = '' OR language = :language) AND (:claim = '' OR claim = :claim)
ORDER BY priority DESC, id LIMIT :limit"""
_BY_ID = "SELECT * FROM cards WHERE id IN (SELECT value FROM json_each(?))"
_COUNT = "SELECT state, count(*) AS n FROM cards GROUP BY state"


def put_cards(db: sqlite3.Connection, cards: Sequence[Card]) -> None:
    """Write cards as scored; what was decided and when they were opened is kept."""
    db.executemany(_PUT, [card_row(card) for card in cards])
    settle_groups(db, [card.id for card in cards if card.state is CardState.DECIDED])


def project(db: sqlite3.Connection, updates: Sequence[CardUpdate]) -> None:
    """Write decided states onto cards and the posts of their groups."""
    settle_groups(db, [update.card for update in updates if _projected(db, update)])


def cards(
    db: sqlite3.Connection,
    state: CardState | None,
    only: dict[str, str],
    after: tuple[float, str] | None,
    limit: int,
) -> list[Card]:
    """Cards by (priority descending, id); `only` holds the language and the claim asked for."""
    priority, card_id = after or (float("inf"), "")
    asked = only | {"priority": priority, "id": card_id, "limit": limit, "state": state.value if state else None}
    return [card_of(row) for row in db.execute(_IN_STATE if state else _IN_ANY_STATE, asked)]


def card(db: sqlite3.Connection, ids: Collection[str]) -> dict[str, Card]:
    """Cards by id."""
    return {row["id"]: card_of(row) for row in db.execute(_BY_ID, (listed(ids),))}


def count_cards(db: sqlite3.Connection) -> dict[CardState, int]:
    """How many cards stand in each state, those without any too."""
    counted = {CardState(row["state"]): row["n"] for row in db.execute(_COUNT)}
    return {state: counted.get(state, 0) for state in CardState}


def _projected(db: sqlite3.Connection, update: CardUpdate) -> bool:
    """Whether the card took the update; an older number is left."""
    values = {
        "card": update.card,
        "number": update.number,
        "state": update.state.value,
        "claim": update.claim,
        "stance": stance_decided(update),
        "at": micros(update.at),
    }
    return db.execute(_PROJECT, values).rowcount > 0
