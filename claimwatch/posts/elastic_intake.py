"""Meeting posts: which are new, which were edited, which are to be forgotten."""

import time
from collections.abc import Iterator, Mapping, Sequence

from claimwatch.posts.elastic_cards import cards_of
from claimwatch.posts.elastic_client import Doc, Elastic, Hit, Write
from claimwatch.posts.elastic_docs import UNSEEN, doc_of, engagement_of, is_deleted, seen_doc, settle, words_of
from claimwatch.posts.elastic_gone import drop_emptied_cards, drop_orphans
from claimwatch.posts.elastic_groups import settle_where_decided
from claimwatch.posts.elastic_slices import TOMBSTONES, Slices
from claimwatch.posts.rows import micros, post_row
from claimwatch.records import Observation, Post, State

#: From so many posts on, a page is worth making indices for.
_LARGE = 100
#: What a later text takes over of the post that brought it.
_REPLACED = ("title", "text", "text_hash", "language", "slot", "collected_at", "edited_at", "expires_at")


def add(elastic: Elastic, slices: Slices, posts: Sequence[Post], token: str) -> list[str]:
    """Keep posts met by one page; the outcome of each."""
    once = {post.id: post for post in reversed(posts)}  # the last first, the first of those with one id
    buried, kept = _before(elastic, slices, list(once.values()))
    found = dict.fromkeys(buried, "dropped(seen)")
    fresh = {id_: post for id_, post in once.items() if id_ not in buried and id_ not in kept}
    found |= _create(elastic, slices, fresh, token)
    again = {id_: post for id_, post in once.items() if id_ not in found}
    if again:
        found |= _meet_again(elastic, slices, again, token)
    gone = [post for id_, post in once.items() if id_ not in found]
    if gone:  # purged just after they were met again: they are new
        found |= {post.id: outcome for post, outcome in zip(gone, add(elastic, slices, gone, token), strict=True)}
    return list(_in_order(posts, found))


def observe(elastic: Elastic, slices: Slices, observations: Sequence[Observation]) -> None:
    """Append to the series and keep the largest of each source's latest beside the post."""
    by_post: dict[str, list[Doc]] = {}
    for seen in observations:
        by_post.setdefault(seen.post, []).append(seen_doc(seen))

    def change(hits: list[Hit]) -> dict[str, Doc]:
        changed = {}
        for hit in hits:
            known = {(one["source"], one["at"]) for one in hit.doc["observations"]}
            fresh = [one for one in by_post[hit.id] if (one["source"], one["at"]) not in known]
            if fresh:
                series = hit.doc["observations"] + fresh
                changed[hit.id] = hit.doc | {"observations": series, "engagement": engagement_of(series)}
        return changed

    elastic.rewrite(lambda: list(slices.read(by_post).values()), change)


def _before(elastic: Elastic, slices: Slices, posts: Sequence[Post]) -> tuple[set[str], set[str]]:
    """Which posts are buried, and which are kept elsewhere than in the slice that will refuse them a second time."""
    graves = elastic.name(TOMBSTONES)
    if len(posts) >= _LARGE:
        slices.prepare()
    found = elastic.there([(graves, post.id) for post in posts] + slices.elsewhere(posts))
    kept = {id_: index for index, id_ in found if index != graves}
    slices.remember(kept)
    return {id_ for index, id_ in found if index == graves}, set(kept)


def _create(elastic: Elastic, slices: Slices, fresh: Mapping[str, Post], token: str) -> dict[str, str]:
    """Write posts that nobody has met; the outcome of each that was indeed new, or can never be kept."""
    number = time.time_ns()
    docs = {id_: doc_of(post, number - at) for at, (id_, post) in enumerate(fresh.items())}
    for id_, post in fresh.items():
        docs[id_]["writes"] = {post.source: [token, "stored"]}
    placed = {id_: post.group for id_, post in fresh.items() if post.group}
    cards = cards_of(elastic, set(placed.values()))
    for id_, group in placed.items():
        settle(docs[id_], cards.get(group))
    writes = [Write("create", slices.place_of(post), id_, docs[id_]) for id_, post in fresh.items()]
    statuses = elastic.bulk(writes)
    slices.remember({id_: index for (index, id_), status in statuses.items() if status < 300 or status == 409})
    made = [id_ for (_, id_), status in statuses.items() if status < 300]
    refused = [id_ for (_, id_), status in statuses.items() if status >= 400 and status != 409]
    settle_where_decided(elastic, slices, placed, cards)
    if refused:
        elastic.count_dead(len(refused))
    return dict.fromkeys(made, "stored") | dict.fromkeys(refused, "rejected(store)")


def _meet_again(elastic: Elastic, slices: Slices, posts: Mapping[str, Post], token: str) -> dict[str, str]:
    """Take over what the promise allows from a later sight of kept posts."""
    outcomes: dict[str, str] = {}

    def change(hits: list[Hit]) -> dict[str, Doc]:
        changed = {}
        for hit in hits:
            post, doc = posts[hit.id], dict(hit.doc)
            written = doc["writes"].get(post.source)
            outcome = _merge(post, doc)
            outcomes[hit.id] = written[1] if written and written[0] == token else outcome
            if outcome == "updated":
                doc["writes"] = doc["writes"] | {post.source: [token, outcomes[hit.id]]}
            if doc != hit.doc:
                changed[hit.id] = doc
        _drop_what_they_held(elastic, [hit for hit in hits if hit.id in changed], changed)
        return changed

    elastic.rewrite(lambda: list(slices.read(posts).values()), change)
    return outcomes


def _drop_what_they_held(elastic: Elastic, before: Sequence[Hit], after: Mapping[str, Doc]) -> None:
    """Drop vectors of texts and open cards of groups that are about to be left by their last post."""
    replaced = [hit for hit in before if hit.doc["text_hash"] != after[hit.id]["text_hash"]]
    leaving = {"ids": {"values": [hit.id for hit in replaced]}}
    texts = {hit.doc["text_hash"] for hit in replaced} - {doc["text_hash"] for doc in after.values()}
    drop_orphans(elastic, texts, leaving=leaving)
    # A card of the post's own name stays until the post is placed anew: it most likely comes back to it.
    groups = {hit.doc["group"] for hit in replaced if hit.doc["group"] and hit.doc["group"] != hit.id}
    drop_emptied_cards(elastic, groups, leaving=leaving, only_open=True)


def _merge(post: Post, doc: Doc) -> str:
    if is_deleted(doc):
        return "unchanged"
    if post.state is State.DELETED:
        doc["state"] = State.DELETED.value
        return "updated"
    if not _is_later(post, doc):
        return "unchanged"
    if (post.title, post.text) == (doc["title"], doc["text"]):
        doc["edited_at"] = doc["edited_at"] if post.edited_at is None else micros(post.edited_at)
        return "unchanged"
    _replace_text(post, doc)
    return "updated"


def _is_later(post: Post, doc: Doc) -> bool:
    """Whether this sight of the post may say what its text is: servers show each other's posts, often stale."""
    if post.edited_at is None:
        return doc["edited_at"] is None and post.source == doc["source"]
    return doc["edited_at"] is None or micros(post.edited_at) > doc["edited_at"]


def _replace_text(post: Post, doc: Doc) -> None:
    """The new text is unseen: what was said of the same words long ago does not count either."""
    row = post_row(post)
    doc.update({name: row[name] for name in _REPLACED})
    doc.update(UNSEEN)
    doc["bands"] = list(post.bands)
    doc["state"] = State.EDITED.value
    doc["words"] = words_of(post.title, post.text)
    doc["seen_at"] = doc["created_at"] if doc["created_at"] is not None else doc["collected_at"]
    for name in ("assessments", "matches"):
        doc[name] = [one for one in doc[name] if one["text_hash"] != post.text_hash]


def _in_order(posts: Sequence[Post], found: Mapping[str, str]) -> Iterator[str]:
    met: set[str] = set()
    for post in posts:
        outcome = found[post.id]
        yield "unchanged" if post.id in met and outcome != "dropped(seen)" else outcome
        met.add(post.id)
