"""What models said of posts: what waits for them, their assessments and matches."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from claimwatch.posts.base import Assessed, Work
from claimwatch.posts.elastic_cards import cards_of, open_ids
from claimwatch.posts.elastic_client import Doc, Elastic, Hit, all_of, any_of, in_parts
from claimwatch.posts.elastic_docs import (
    match_doc,
    match_from,
    matches_of,
    post_from,
    said_doc,
    said_from,
    settle,
    standing,
)
from claimwatch.posts.elastic_slices import POSTS, Slices
from claimwatch.posts.elastic_vectors import put_vectors
from claimwatch.posts.rows import micros
from claimwatch.records import Assessment, Match, Post, State

_DELETED = any_of("state", [State.DELETED.value])
_UNSEEN = any_of("model", [""])


def pending(elastic: Elastic, work: Work, slots: range, after: Post | None, limit: int) -> list[Post]:
    """Posts the stage has not done, in its order, as searches see them."""
    here = _in_slots(slots)
    if work.stage == "group":
        query = all_of(here, without=[{"exists": {"field": "group"}}, _UNSEEN, _DELETED])
        place: list[Any] | None = [micros(after.collected_at), after.id] if after else None
        return _found(elastic, query, ["collected_at", "id"], place, limit)
    done = [any_of("models", [work.model]), _DELETED]
    waiting = [_UNSEEN]
    if work.since:
        waiting.append({"range": {"collected_at": {"gte": micros(work.since)}}})
    queries = [all_of({"bool": {"should": waiting}}, here, without=done)]
    if _any(elastic, all_of(here, without=[*done, _UNSEEN])):
        queries += [all_of(any_of("group", part), here, without=done) for part in in_parts(open_ids(elastic))]
    last = [after.id] if after else None
    found = {post.id: post for query in queries for post in _found(elastic, query, ["id"], last, limit)}
    return [found[id_] for id_ in sorted(found)[:limit]]


def assess(elastic: Elastic, slices: Slices, assessed: Sequence[Assessed]) -> None:
    """Keep assessments, matches and vectors of posts that are kept."""
    by_post: dict[str, list[Assessed]] = {}
    for one in assessed:
        by_post.setdefault(one.assessment.post, []).append(one)
    vectors = {(one.encoder, one.assessment.text_hash): one.vector for one in assessed if one.vector is not None}
    seen: set[str] = set()

    def change(hits: list[Hit]) -> dict[str, Doc]:
        cards = cards_of(elastic, {hit.doc["group"] for hit in hits if hit.doc["group"]})
        said = {hit.doc["text_hash"] for hit in hits} - seen
        seen.update(said)
        # Before the posts: what waits no more has its vector, also after a kill.
        put_vectors(elastic, {key: vector for key, vector in vectors.items() if key[1] in said})
        changed = {}
        for hit in hits:
            doc = dict(hit.doc)
            _assess_post(doc, by_post[hit.id])
            settle(doc, cards.get(doc["group"]))
            if doc != hit.doc:
                changed[hit.id] = doc
        return changed

    elastic.rewrite(lambda: list(slices.read(by_post).values()), change)


def assessments(slices: Slices, ids: Collection[str]) -> dict[str, Assessment]:
    """The newest assessment of each post's present text."""
    found = ((id_, standing(hit.doc)) for id_, hit in slices.read(ids).items())
    return {id_: said_from(id_, said) for id_, said in found if said}


def matches(slices: Slices, ids: Collection[str]) -> dict[str, list[Match]]:
    """The matches of each post's present text, nearest first."""
    found = {id_: matches_of(hit.doc) for id_, hit in slices.read(ids).items()}
    return {id_: [match_from(id_, one) for one in those] for id_, those in found.items() if those}


def scored(elastic: Elastic, hashes: Collection[str], model: str) -> dict[str, Assessed]:
    """What this model already said of these texts, by text_hash: the post met last speaks for all that say it now."""
    found: dict[str, Assessed] = {}
    for part in in_parts(sorted(set(hashes))):
        docs = elastic.hits(
            POSTS,
            query=all_of(any_of("text_hash", part), any_of("models", [model])),
            collapse={"field": "text_hash"},
            sort=[{"number": "desc"}],
            size=len(part),
        )
        found |= {doc["text_hash"]: _as_then(doc, model) for doc in docs}
    return found


def match(elastic: Elastic, slices: Slices, found: Mapping[str, Sequence[Match]]) -> None:
    """Add matches to every post that says one of these texts now."""
    ids: list[str] = []
    elastic.refresh(POSTS)
    for part in in_parts(list(found)):
        for page in elastic.walk(POSTS, all_of(any_of("text_hash", part)), fields=()):
            ids += [hit.id for hit in page]
            slices.remember({hit.id: hit.index for hit in page})

    def change(hits: list[Hit]) -> dict[str, Doc]:
        cards = cards_of(elastic, {hit.doc["group"] for hit in hits if hit.doc["group"]})
        changed = {}
        for hit in hits:
            doc = dict(hit.doc)
            text = {"text_hash": doc["text_hash"]}
            given = [match_doc(one, doc["model"]) | text for one in found.get(doc["text_hash"], ())]
            doc["matches"] = _with(doc["matches"], given)
            settle(doc, cards.get(doc["group"]))
            changed[hit.id] = doc
        return changed

    for batch in in_parts(ids, 500):
        elastic.rewrite(lambda batch=batch: list(slices.read(batch).values()), change)  # type: ignore[misc]


def _assess_post(doc: Doc, given: Sequence[Assessed]) -> None:
    """Write what was said of one post; what an earlier write says again does not undo what was said since."""
    model = doc["model"]
    known = {(one["text_hash"], one["model"]) for one in doc["assessments"]}
    for one in given:
        said = one.assessment
        key = (said.text_hash, said.model)
        others = [each for each in doc["assessments"] if (each["text_hash"], each["model"]) != key]
        doc["assessments"] = [*others, said_doc(said)]
        if said.text_hash == doc["text_hash"] and said.model not in doc["models"]:
            doc["models"] = [*doc["models"], said.model]
        if key in known and said.model != model:
            continue
        known.add(key)
        text, ours = {"text_hash": said.text_hash}, ("", said.model)
        stay = [each for each in doc["matches"] if each["text_hash"] != said.text_hash or each["model"] in ours]
        doc["matches"] = _with(stay, [match_doc(each, said.model) | text for each in one.matches])
        if said.text_hash == doc["text_hash"]:
            doc["model"] = said.model
            if one.expires_at is not None:
                doc["expires_at"] = micros(one.expires_at)


def _with(matches: list[Doc], more: list[Doc]) -> list[Doc]:
    """Matches with more of them, each in the place of the same claim's for the same text."""
    every = {(one["text_hash"], one["claim"], one["claim_version"]): one for one in [*matches, *more]}
    return list(every.values())


def _as_then(doc: Doc, model: str) -> Assessed:
    said = next(one for one in doc["assessments"] if one["text_hash"] == doc["text_hash"] and one["model"] == model)
    return Assessed(
        assessment=said_from(doc["id"], said),
        matches=tuple(match_from(doc["id"], one) for one in matches_of(doc)),
    )


def _in_slots(slots: range) -> Doc:
    if slots.step == 1:
        return {"range": {"slot": {"gte": slots.start, "lt": slots.stop}}}
    return any_of("slot", slots)


def _found(elastic: Elastic, query: Doc, order: list[str], after: list[Any] | None, limit: int) -> list[Post]:
    place = {"search_after": after} if after else {}
    found = elastic.hits(POSTS, query=query, sort=[{name: "asc"} for name in order], size=limit, **place)
    return [post_from(doc) for doc in found]


def _any(elastic: Elastic, query: Doc) -> bool:
    found = elastic.search(POSTS, query=query, size=0, terminate_after=1, track_total_hits=1)
    return bool(found["hits"]["total"]["value"])
