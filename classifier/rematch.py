"""Matches a new or changed claim to posts judged before it came, by their kept vectors: nothing is encoded again."""

import json
from collections.abc import Sequence

from claimwatch.desk import Desk
from claimwatch.ledger import claims, facts
from claimwatch.records import Match
from classifier.model import Model, Nearest


def match_new_claims(desk: Desk, model: Model) -> int:
    """Match claims that came since the last pass to all kept texts; how many texts got a match.

    Which claims are done is noted last: killed before, the next pass does the whole again, which is harmless.
    """
    fact = f"matched.{model.version}"
    with desk.ledger.read() as db:
        active = claims.every(db, "active")
        done = json.loads(facts.get(db, fact) or "{}")
    fresh = [claim.id for claim in active if done.get(claim.id) != claim.version]
    if not fresh:
        return 0
    model.learn_claims(active)
    matched = _match_texts(desk, model, fresh)
    with desk.ledger.write() as db:
        facts.put(db, fact, json.dumps({claim.id: claim.version for claim in active}))
    return matched


def _match_texts(desk: Desk, model: Model, fresh: Sequence[str]) -> int:
    matched, after = 0, ""
    while page := desk.posts.vectors(model.encoder, after=after):
        found = model.match_vectors([vector for _, vector in page], fresh)
        near = {text: _matches(text, those) for (text, _), those in zip(page, found, strict=True) if those}
        desk.posts.match(near)
        matched += len(near)
        after = page[-1][0]
    return matched


def _matches(text: str, near: Sequence[Nearest]) -> list[Match]:
    return [
        Match(
            post="",
            text_hash=text,
            claim=one.claim,
            claim_version=one.version,
            similarity=one.similarity,
            confirmed=one.confirmed,
        )
        for one in near
    ]
