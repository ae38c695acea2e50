"""Says where a week's scores or decisions are spread otherwise than before: beside the counts, never among them."""

from collections.abc import Mapping
from typing import Any

from claimwatch.desk import Desk
from claimwatch.drift import Drift, drift_of
from reports.words import Words


def of_week(desk: Desk, week: str) -> tuple[Drift, ...]:
    """What can be compared of a week, beyond the bound or not."""
    with desk.ledger.read() as db:
        return drift_of(db, week, desk.settings.zone)


def drift_sentences(body: Mapping[str, Any], words: Words) -> list[str]:
    """One sentence for each distribution beyond the bound; none for reports that did not look."""
    return [_sentence(one, words) for one in body["context"].get("drift", ()) if one["beyond"]]


def _sentence(one: Mapping[str, Any], words: Words) -> str:
    now, psi = words.number(one["now"]), words.number(one["psi"])
    if one["what"] == "decisions":
        return words.say(
            "The team decided otherwise than in the four weeks before (stability index %(psi)s, %(now)s decisions):"
            " the posts, the model or the way of judging may have changed.",
            psi=psi,
            now=now,
        )
    return words.say(
        "The scores of %(language)s texts are spread otherwise than in the four weeks before (stability index %(psi)s,"
        " %(now)s texts): look at a few cards before you read a rise or a fall into the figures.",
        language=words.language_name(one["language"]),
        psi=psi,
        now=now,
    )
