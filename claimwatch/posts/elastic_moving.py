"""Posts carried whole out of the indices and into them, and the tombstones with them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from claimwatch.errors import StoreError
from claimwatch.posts.base import Kept
from claimwatch.posts.elastic_cards import cards_of
from claimwatch.posts.elastic_client import Doc, Elastic, Hit, Write, all_of
from claimwatch.posts.elastic_docs import (
    doc_of,
    engagement_of,
    match_doc,
    match_from,
    post_from,
    said_doc,
    said_from,
    seen_doc,
    seen_from,
    settle,
)
from claimwatch.posts.elastic_gone import drop_emptied_cards, drop_orphans
from claimwatch.posts.elastic_groups import settle_where_decided
from claimwatch.posts.elastic_keeping import bury as write_tombstones
from claimwatch.posts.elastic_slices import POSTS, TOMBSTONES, Slices
from claimwatch.posts.elastic_vectors import of_texts, put_vectors
from claimwatch.posts.rows import instant, micros

#: Numbers of posts met are nanoseconds since 1970; a post carried in gets one by its first sight.
_NANOSECONDS = 1_000


def dump(elastic: Elastic, after: str, limit: int) -> list[Kept]:
    """Posts by id with all that hangs on them."""
    elastic.refresh(POSTS)
    place = {"search_after": [after]} if after else {}
    docs = elastic.hits(POSTS, query=all_of(), sort=[{"id": "asc"}], size=limit, **place)
    vectors = of_texts(elastic, [doc["text_hash"] for doc in docs])
    return [_kept(doc, vectors.get(doc["text_hash"], [])) for doc in docs]


def load(elastic: Elastic, slices: Slices, kept: Sequence[Kept]) -> None:
    """Put posts in the place of those here under their ids; one met again keeps its place and number."""
    given = {one.post.id: one for one in kept}
    placed = {id_: one.post.group for id_, one in given.items() if one.post.group}
    cards = cards_of(elastic, set(placed.values()))
    docs = {id_: _doc(one, at, cards) for at, (id_, one) in enumerate(given.items())}
    writes = [Write("create", slices.place_of(one.post), id_, docs[id_]) for id_, one in given.items()]
    found = {id_: index for index, id_ in elastic.there(slices.elsewhere([one.post for one in given.values()]))}
    statuses = elastic.bulk([one for one in writes if one.id not in found])
    refused = sorted({status for status in statuses.values() if status >= 400 and status != 409})
    if refused:
        raise StoreError(f"Elasticsearch refused a post (status {refused[0]}): see its log; nothing was lost")
    slices.remember(found | {id_: index for index, id_ in statuses})
    again = set(found) | {id_ for (_, id_), status in statuses.items() if status == 409}
    if again:
        _replace(elastic, slices, {id_: docs[id_] for id_ in again})
    settle_where_decided(elastic, slices, placed, cards)
    put_vectors(
        elastic,
        {(encoder, one.post.text_hash): vector for one in given.values() for encoder, vector in one.vectors},
    )


def tombstones(elastic: Elastic, after: str, limit: int) -> list[tuple[str, datetime]]:
    """Forgotten ids with the time, by id."""
    elastic.refresh(TOMBSTONES)
    place = {"search_after": [after]} if after else {}
    docs = elastic.hits(TOMBSTONES, query=all_of(), sort=[{"id": "asc"}], size=limit, **place)
    return [(doc["id"], instant(doc["at"])) for doc in docs]


def bury(elastic: Elastic, slices: Slices, found: Sequence[tuple[str, datetime]]) -> None:
    """Write tombstones, but not over posts that are kept."""
    kept = slices.read([id_ for id_, _ in found])
    write_tombstones(elastic, [(id_, micros(at)) for id_, at in found if id_ not in kept])


def _replace(elastic: Elastic, slices: Slices, docs: Mapping[str, Doc]) -> None:
    leaving = {"ids": {"values": list(docs)}}

    def change(hits: list[Hit]) -> dict[str, Doc]:
        texts = {hit.doc["text_hash"] for hit in hits} - {doc["text_hash"] for doc in docs.values()}
        drop_orphans(elastic, texts, leaving=leaving)
        left = {hit.doc["group"] for hit in hits if hit.doc["group"]} - {doc["group"] for doc in docs.values()}
        drop_emptied_cards(elastic, left, leaving=leaving, only_open=True)
        return {hit.id: docs[hit.id] | {"number": hit.doc["number"]} for hit in hits}

    elastic.rewrite(lambda: list(slices.read(docs).values()), change)


def _kept(doc: Doc, vectors: list[tuple[str, bytes]]) -> Kept:
    """The assessment that stands comes last."""
    said = sorted(
        doc["assessments"],
        key=lambda one: (
            one["text_hash"] == doc["text_hash"],
            one["model"] == doc["model"],
            one["text_hash"],
            one["model"],
        ),
    )
    matches = sorted(doc["matches"], key=lambda one: (one["text_hash"], one["claim"], one["claim_version"]))
    seen = sorted(doc["observations"], key=lambda one: (one["source"], one["at"]))
    return Kept(
        post=post_from(doc),
        assessments=tuple(said_from(doc["id"], one) for one in said),
        matches=tuple((one["model"], match_from(doc["id"], one)) for one in matches),
        observations=tuple(seen_from(doc["id"], one) for one in seen),
        writes=tuple((source, token, outcome) for source, (token, outcome) in sorted(doc["writes"].items())),
        vectors=tuple(vectors),
        batch=doc["batch"],
    )


def _doc(one: Kept, at: int, cards: Mapping[str, Doc]) -> Doc:
    of_text = [said for said in one.assessments if said.text_hash == one.post.text_hash]
    series = [seen_doc(seen) for seen in one.observations]
    more: dict[str, Any] = {
        "model": of_text[-1].model if of_text else "",
        "models": [said.model for said in of_text],
        "assessments": [said_doc(said) for said in one.assessments],
        "matches": [match_doc(match, model) for model, match in one.matches],
        "observations": series,
        "engagement": engagement_of(series),
        "writes": {source: [token, outcome] for source, token, outcome in one.writes},
        "batch": one.batch,
    }
    doc = doc_of(one.post, micros(one.post.first_seen) * _NANOSECONDS + at) | more
    settle(doc, cards.get(doc["group"] or ""))
    return doc
