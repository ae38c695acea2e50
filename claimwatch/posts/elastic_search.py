"""Searches: the same words find the same posts as in SQLite; relevance is judged over all of them."""

from collections.abc import Iterator
from typing import Any

from claimwatch.posts.base import Found, Search
from claimwatch.posts.elastic_cards import CARDS
from claimwatch.posts.elastic_client import TERMS, Doc, Elastic, all_of, any_of, in_parts
from claimwatch.posts.elastic_docs import post_from
from claimwatch.posts.elastic_slices import POSTS, Slices
from claimwatch.records import CardState, State
from claimwatch.text.fold import search_terms
from claimwatch.text.passages import PREFIX

#: Elasticsearch's own bound on offset and size together.
_DEEPEST = 10_000
#: Up to so many urgent matches are put in order at once; of more, the most urgent cards are walked.
_FEW = 2_000
_CARDS = 1_000
_DELETED = any_of("state", [State.DELETED.value])
_OPEN = all_of(any_of("state", [CardState.OPEN.value]))
#: What the order of urgent posts is made of.
_LIGHT = ["id", "group", "number"]


def search(elastic: Elastic, slices: Slices, asked: Search) -> Found:
    """One page of the posts that match."""
    terms = search_terms(asked.words)
    if not terms and asked.words.strip():
        return Found(posts=(), more=False)  # signs alone: no word of any post
    query = _query(asked, terms)
    if asked.order == "urgent":
        return _urgent(elastic, slices, asked, query)
    ranked = asked.order == "relevance" and terms
    sort: list[Any] = ["_score", {"number": "desc"}] if ranked else [{"number": "desc"}]
    size = min(asked.limit + 1, max(0, _DEEPEST - asked.offset))
    docs = elastic.hits(POSTS, query=query, sort=sort, from_=asked.offset, size=size)
    return Found(posts=tuple(post_from(doc) for doc in docs[: asked.limit]), more=len(docs) > asked.limit)


def _query(asked: Search, terms: list[str]) -> Doc:
    named = {"language": asked.language, "source": asked.source, "claim": asked.claim}
    filters: list[Doc] = [{"term": {name: value}} for name, value in named.items() if value]
    if asked.order == "urgent":
        filters.append({"term": {"flag": True}})
    if asked.flagged is not None:
        filters.append({"term": {"flag": asked.flagged}})
    words = [_word(term, last=at == len(terms) - 1) for at, term in enumerate(terms)]
    if asked.order == "relevance":
        return {"bool": {"must": words, "filter": filters, "must_not": [_DELETED]}}
    return all_of(*words, *filters, without=[_DELETED])


def _word(term: str, *, last: bool) -> Doc:
    """A word that must occur; the last may go on."""
    exact: Doc = {"term": {"words": term}}
    if not last or len(term) < PREFIX:
        return exact
    return {"bool": {"should": [exact, {"prefix": {"words": term}}], "minimum_should_match": 1}}


def _urgent(elastic: Elastic, slices: Slices, asked: Search, query: Doc) -> Found:
    """Posts of open cards by the card's priority, then the rest, newest first."""
    need = asked.offset + asked.limit + 1
    few = elastic.hits(POSTS, query=query, sort=[{"number": "desc"}], size=_FEW + 1, source=_LIGHT)
    ids = _all_in_order(elastic, few) if len(few) <= _FEW else _most_urgent(elastic, query, need)
    page = ids[asked.offset : need - 1]
    found = slices.read(page)
    return Found(posts=tuple(post_from(found[id_].doc) for id_ in page if id_ in found), more=len(ids) >= need)


def _all_in_order(elastic: Elastic, docs: list[Doc]) -> list[str]:
    groups = sorted({doc["group"] for doc in docs if doc["group"]})
    cards = elastic.hits(CARDS, query=all_of(any_of("id", groups), _OPEN), size=len(groups), source=["id", "priority"])
    return _ordered(docs, {card["id"]: card["priority"] for card in cards})


def _most_urgent(elastic: Elastic, query: Doc, need: int) -> list[str]:
    """The ids of the first `need` posts: card after card, the most urgent first, until there are enough."""
    ids: list[str] = []
    walked: list[str] = []
    for cards in _cards_by_priority(elastic):
        walked += cards
        docs = elastic.hits(POSTS, query=all_of(query, any_of("group", list(cards))), size=_DEEPEST, source=_LIGHT)
        ids += _ordered(docs, cards)
        if len(ids) >= need:
            return ids
    others = [any_of("group", part) for part in in_parts(walked, TERMS)]
    rest = elastic.hits(
        POSTS, query=all_of(query, without=others), sort=[{"number": "desc"}], size=need - len(ids), source=_LIGHT
    )
    return ids + [doc["id"] for doc in rest]


def _cards_by_priority(elastic: Elastic) -> Iterator[dict[str, float]]:
    place: Doc = {}
    while True:
        sort = [{"priority": "desc"}, {"id": "asc"}]
        cards = elastic.hits(CARDS, query=_OPEN, sort=sort, size=_CARDS, source=["id", "priority"], **place)
        if cards:
            yield {card["id"]: card["priority"] for card in cards}
        if len(cards) < _CARDS:
            return
        place = {"search_after": [cards[-1]["priority"], cards[-1]["id"]]}


def _ordered(docs: list[Doc], priorities: dict[str, float]) -> list[str]:
    ordered = sorted(docs, key=lambda doc: (-priorities.get(doc["group"] or "", -1.0), -doc["number"]))
    return [doc["id"] for doc in ordered]
