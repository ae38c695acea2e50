"""Posts as documents, and what follows from a document's parts: the fields that counts and searches read."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from claimwatch.posts.elastic_client import Doc
from claimwatch.posts.rows import instant, maybe_instant, micros, post_of, post_row
from claimwatch.records import Assessment, CardState, Match, Observation, Post, Stance, State
from claimwatch.text.fold import fold

#: Of a replaced text nothing that was said counts.
UNSEEN: dict[str, Any] = {
    "group": None,
    "model": "",
    "models": [],
    "flag": False,
    "claim": "",
    "stance": "",
    "status": "new",
}


def doc_of(post: Post, number: int) -> Doc:
    """A post that nobody has assessed yet."""
    doc: Doc = post_row(post)
    seen = post.first_seen
    doc.update(UNSEEN)
    doc.update(
        models=[],
        group=post.group,
        bands=list(post.bands),
        number=number,
        seen_at=doc["collected_at"] if doc["created_at"] is None else doc["created_at"],
        quarter=f"{seen.year}-{(seen.month + 2) // 3}",
        words=words_of(post.title, post.text),
        batch=None,
        engagement=0,
        writes={},
        observations=[],
        assessments=[],
        matches=[],
    )
    return doc


def post_from(doc: Doc) -> Post:
    """The post of a document."""
    return post_of(doc | {"bands": " ".join(doc["bands"])})


def words_of(title: str, text: str) -> str:
    """What searches look in: the same words as in SQLite."""
    return fold(f"{title} {text}")


def said_doc(said: Assessment) -> Doc:
    """An assessment within its post's document."""
    return {
        "text_hash": said.text_hash,
        "model": said.model,
        "on_topic": said.on_topic,
        "p_false": said.p_false,
        "stance": said.stance.value if said.stance else None,
        "stage": said.stage,
        "flag": said.flag,
        "why": said.why,
    }


def said_from(post: str, said: Doc) -> Assessment:
    """The assessment of a part of a post's document."""
    return Assessment(**(said | {"post": post, "stance": Stance(said["stance"]) if said["stance"] else None}))


def match_doc(match: Match, model: str) -> Doc:
    """A match within its post's document; `model` is whose assessment it came beside."""
    return {
        "text_hash": match.text_hash,
        "claim": match.claim,
        "claim_version": match.claim_version,
        "similarity": match.similarity,
        "confirmed": match.confirmed,
        "model": model,
    }


def match_from(post: str, match: Doc) -> Match:
    """The match of a part of a post's document."""
    return Match(post=post, **{name: value for name, value in match.items() if name != "model"})


def seen_doc(seen: Observation) -> Doc:
    """An observation within its post's document."""
    counts = {"likes": seen.likes, "shares": seen.shares, "replies": seen.replies, "views": seen.views}
    return {"source": seen.source, "at": micros(seen.at)} | counts


def seen_from(post: str, seen: Doc) -> Observation:
    """The observation of a part of a post's document."""
    return Observation(post=post, **(seen | {"at": instant(seen["at"])}))


def engagement_of(observations: Iterable[Doc]) -> int:
    """The largest of each source's latest."""
    latest: dict[str, Doc] = {}
    for seen in sorted(observations, key=lambda one: one["at"]):
        latest[seen["source"]] = seen
    return max((sum(one[name] or 0 for name in ("likes", "shares", "replies")) for one in latest.values()), default=0)


def standing(doc: Doc) -> Doc | None:
    """The assessment of the present text by the last model, if there is one."""
    of_text = [one for one in doc["assessments"] if one["text_hash"] == doc["text_hash"]]
    return next((one for one in of_text if one["model"] == doc["model"]), None)


def matches_of(doc: Doc) -> list[Doc]:
    """The matches of the present text, nearest first."""
    of_text = [one for one in doc["matches"] if one["text_hash"] == doc["text_hash"]]
    return sorted(of_text, key=lambda one: (-one["similarity"], one["claim"], -one["claim_version"]))


def settle(doc: Doc, card: Doc | None) -> None:
    """Say of a post what its assessment and its group's card say now: a decided card goes before an assessment."""
    decided = card if card and card["state"] == CardState.DECIDED else None
    said = standing(doc)
    nearest = next((one["claim"] for one in matches_of(doc)), "")
    stance = decided["decided_stance"] if decided else None
    doc["flag"] = bool(said and said["flag"])
    doc["stance"] = stance or (said and said["stance"]) or ""
    if stance == Stance.OTHER:
        doc["claim"] = ""
    else:
        doc["claim"] = (decided and decided["claim"]) or nearest
    if decided:
        doc["status"] = "decided"
    elif not doc["model"]:
        doc["status"] = "new"
    else:
        doc["status"] = "flagged" if doc["flag"] else "passed"


def is_deleted(doc: Doc) -> bool:
    """Whether its source took the post back."""
    return bool(doc["state"] == State.DELETED)


def when(number: int | None) -> datetime | None:
    """The time of microseconds; None stays None."""
    return maybe_instant(number)
