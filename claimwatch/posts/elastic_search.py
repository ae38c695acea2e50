"""Searches: the same words find the same posts as in SQLite; relevance is judged over all of them."""

from collections.abc import Iterator
from typing import Any

from claimwatch.posts.base import Found, Search
from claimwatch.posts.elastic_cards import CARDS
from claimwatch.posts.elastic_client import Doc, Elastic, all_of, any_of, in_parts
from claimwatch.posts.elastic_docs import post_from
from claimwatch.posts.elastic_slices import POSTS, Slices
from claimwatch.records import CardState, State
from claimwatch.text.fold import search_terms
from claimwatch.text.passages import PREFIX

#: Elasticsearch's own bound on offset and size together.
_DEEPEST = 10_000
#: Offsets that it may count to itself, which leaves room for a page.
_SHALLOW = 5_000
#: Up to so many urgent matches are put in order at once; of more, the most urgent cards are walked.
_FEW = 2_000
_CARDS = 1_000
_DELETED = any_of("state", [State.DELETED.value])
_OPEN = all_of(any_of("state", [CardState.OPEN.value]))
_NEWEST: list[Any] = [{"number": "desc"}, {"id": "asc"}]
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
    sort = [{"_score": "desc"}, *_NEWEST] if asked.order == "relevance" and terms else _NEWEST
    place = _skip(elastic, query, sort, asked.offset)
    docs = [] if place is None else elastic.hits(POSTS, query=query, sort=sort, size=asked.limit + 1, **place)
    return Found(posts=tuple(post_from(doc) for doc in docs[: asked.limit]), more=len(docs) > asked.limit)


def _skip(elastic: Elastic, query: Doc, sort: list[Any], offset: int) -> Doc | None:
    """Where a page begins, which may be beyond what Elasticsearch counts to; None: after the end."""
    if offset <= _SHALLOW:
        return {"from_": offset}
    place: Doc = {}
    while offset:
        step = min(offset, _DEEPEST)
        found = elastic.search(POSTS, query=query, sort=sort, size=step, source=False, track_total_hits=False, **place)
        if len(found["hits"]["hits"]) < step:
            return None
        place = {"search_after": found["hits"]["hits"][-1]["sort"]}
        offset -= step
    return place


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
    few = elastic.hits(POSTS, query=query, sort=_NEWEST, size=_FEW + 1, source=_LIGHT)
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
        ids += _of_cards(elastic, query, cards, need - len(ids))
        if len(ids) >= need:
            return ids
    others = [any_of("group", part) for part in in_parts(walked)]
    rest = all_of(query, without=others)
    return ids + [doc["id"] for doc in _first(elastic, rest, need - len(ids))]


def _of_cards(elastic: Elastic, query: Doc, cards: dict[str, float], need: int) -> list[str]:
    """The posts of these cards in order, at least the first `need`; too many for one answer are asked for by halves."""
    here = all_of(query, any_of("group", list(cards)))
    if len(cards) == 1:
        return [doc["id"] for doc in _first(elastic, here, need)]
    docs = elastic.hits(POSTS, query=here, sort=_NEWEST, size=_DEEPEST, source=_LIGHT)
    if len(docs) < _DEEPEST:
        return _ordered(docs, cards)
    half = len(cards) // 2
    ids = _of_cards(elastic, query, dict(list(cards.items())[:half]), need)
    return (
        ids if len(ids) >= need else ids + _of_cards(elastic, query, dict(list(cards.items())[half:]), need - len(ids))
    )


def _first(elastic: Elastic, query: Doc, need: int) -> list[Doc]:
    """The newest so many."""
    found: list[Doc] = []
    while len(found) < need:
        size = min(need - len(found), _DEEPEST)
        place = {"search_after": [found[-1]["number"], found[-1]["id"]]} if found else {}
        page = elastic.hits(POSTS, query=query, sort=_NEWEST, size=size, source=_LIGHT, **place)
        found += page
        if len(page) < size:
            break
    return found


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
    ordered = sorted(docs, key=lambda doc: (-priorities.get(doc["group"] or "", -1.0), -doc["number"], doc["id"]))
    return [doc["id"] for doc in ordered]
