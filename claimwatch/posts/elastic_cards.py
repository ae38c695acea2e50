"""Cards of the review queue, as scored and as decided, in an index that never rotates."""

from collections.abc import Collection, Sequence
from typing import Any

from claimwatch.posts.elastic_client import Doc, Elastic, Hit, Write, all_of, any_of
from claimwatch.posts.rows import card_of, card_row, micros
from claimwatch.posts.stances import stance_decided
from claimwatch.records import Card, CardState, CardUpdate

CARDS = "cards"


def cards_of(elastic: Elastic, groups: Collection[str]) -> dict[str, Doc]:
    """The cards of groups as documents, as of this moment."""
    return {hit.id: hit.doc for hit in read(elastic, groups)}


def read(elastic: Elastic, ids: Collection[str]) -> list[Hit]:
    """Cards by id with what a conditional write needs."""
    return elastic.mget([(elastic.name(CARDS), id_) for id_ in dict.fromkeys(ids)])


def put_cards(elastic: Elastic, cards: Sequence[Card]) -> list[str]:
    """Write cards as scored; what was decided and when they were opened is kept. The groups that stand decided."""
    given = {card.id: card for card in cards}
    name = elastic.name(CARDS)
    fresh = [Write("create", name, card.id, _new(card)) for card in given.values()]
    known = {hit.id for hit in read(elastic, given)}
    made = elastic.bulk([one for one in fresh if one.id not in known])
    again = known | {id_ for (_, id_), status in made.items() if status == 409}

    def change(hits: list[Hit]) -> dict[str, Doc]:
        return {hit.id: _scored(hit.doc, given[hit.id]) for hit in hits}

    elastic.rewrite(lambda: read(elastic, again), change)
    return [card.id for card in given.values() if card.state is CardState.DECIDED]


def project(elastic: Elastic, updates: Sequence[CardUpdate]) -> list[str]:
    """Write decided states onto cards; the groups whose card took one, an older number is left."""
    newest: dict[str, CardUpdate] = {}
    for update in updates:
        if update.card not in newest or newest[update.card].number <= update.number:
            newest[update.card] = update
    taken: set[str] = set()

    def change(hits: list[Hit]) -> dict[str, Doc]:
        wanted = {
            hit.id: _decided(hit.doc, newest[hit.id]) for hit in hits if hit.doc["number"] <= newest[hit.id].number
        }
        taken.update(wanted)
        return wanted

    elastic.rewrite(lambda: read(elastic, newest), change)
    return sorted(taken)


def cards(
    elastic: Elastic, state: CardState | None, only: dict[str, str], after: tuple[float, str] | None, limit: int
) -> list[Card]:
    """Cards by (priority descending, id); `only` holds the language and the claim asked for."""
    filters = [{"term": {name: value}} for name, value in only.items() if value]
    if state:
        filters.append({"term": {"state": state.value}})
    body: dict[str, Any] = {"sort": [{"priority": "desc"}, {"id": "asc"}], "size": limit}
    if after and after[0] != float("inf"):
        body["search_after"] = list(after)
    return [card_from(doc) for doc in elastic.hits(CARDS, query=all_of(*filters), **body)]


def card(elastic: Elastic, ids: Collection[str]) -> dict[str, Card]:
    """Cards by id."""
    return {id_: card_from(doc) for id_, doc in cards_of(elastic, ids).items()}


def count_cards(elastic: Elastic) -> dict[CardState, int]:
    """How many cards stand in each state, those without any too."""
    counted = {bucket["key"]["state"]: bucket["doc_count"] for bucket in elastic.composite(CARDS, all_of(), ["state"])}
    return {state: counted.get(state.value, 0) for state in CardState}


def open_ids(elastic: Elastic) -> list[str]:
    """The ids of all open cards, as searches see them."""
    query = all_of(any_of("state", [CardState.OPEN.value]))
    return [hit.id for page in elastic.walk(CARDS, query, fields=()) for hit in page]


def card_from(doc: Doc) -> Card:
    """The card of a document."""
    return card_of(doc)


def _new(card: Card) -> Doc:
    row = card_row(card)
    return row | {
        "scored_claim": row["claim"],
        "scored_similarity": row["claim_similarity"],
        "decided_stance": None,
    }


def _scored(doc: Doc, card: Card) -> Doc:
    """A card as it is, with its new scores."""
    row = card_row(card)
    decided = doc["state"] == CardState.DECIDED
    kept = {"opened_at": doc["opened_at"], "number": max(doc["number"], row["number"])}
    scored = {"scored_claim": row["claim"], "scored_similarity": row["claim_similarity"]}
    if decided:
        same = doc["claim"] == row["claim"]
        kept |= {"state": doc["state"], "claim": doc["claim"]}
        kept["claim_similarity"] = row["claim_similarity"] if same else None
    return doc | row | kept | scored


def _decided(doc: Doc, update: CardUpdate) -> Doc:
    """A card with the decided state that the ledger holds."""
    decided = update.state is CardState.DECIDED
    merged = doc["state"] == CardState.MERGED and update.state is CardState.OPEN
    claim = update.claim if decided else doc["scored_claim"]
    near = not decided or doc["scored_claim"] == update.claim
    return doc | {
        "number": update.number,
        "updated_at": micros(update.at),
        "decided_stance": stance_decided(update),
        "state": doc["state"] if merged else update.state.value,
        "claim": claim,
        "claim_similarity": doc["scored_similarity"] if near else None,
    }
