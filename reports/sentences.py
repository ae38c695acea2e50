"""The bottom line of a week in three plain sentences, and what to keep in mind while reading the rest."""

from collections.abc import Mapping
from typing import Any

from reports.drift import drift_sentences
from reports.words import Words

Body = Mapping[str, Any]


def bottom_line(body: Body, words: Words) -> list[str]:
    """How much was seen, what was repeated most, and whether it was answered."""
    return [_seen(body, words), _repeated(body, words), _answered(body, words)]


def cautions(body: Body, words: Words) -> list[str]:
    """What limits the week's figures; empty where nothing does."""
    found = []
    expecting = [(posts, source["expected"]) for _, posts, source in sources_of(body) if source["expected"]]
    thin = sum(posts * 2 < expected for posts, expected in expecting)
    if thin:
        found.append(
            words.count(
                "%(n)s source gave less than half of the posts expected of it (of %(all)s with an expectation):"
                " a fall may only mean that less was seen.",
                "%(n)s sources gave less than half of the posts expected of them (of %(all)s with an expectation):"
                " a fall may only mean that less was seen.",
                thin,
                all=words.number(len(expecting)),
            )
        )
    wrong = [name for name, _, source in sources_of(body) if source["enabled"] and source.get("notice")]
    if wrong:
        found.append(
            words.count(
                "%(n)s source was silent, failing or not crawled when the week ended: %(names)s.",
                "%(n)s sources were silent, failing or not crawled when the week ended: %(names)s.",
                len(wrong),
                names=", ".join(sorted(wrong)),
            )
        )
    if new := body["counts"]["posts"]["new"]:
        found.append(words.count("%(n)s post is not assessed yet.", "%(n)s posts are not assessed yet.", new))
    return found + drift_sentences(body, words)


def sources_of(body: Body) -> list[tuple[str, int, Mapping[str, Any]]]:
    """Each source with its posts and what is known of it, most posts first; those without posts last."""
    posts = {one["source"]: sum(one["days"]) for one in body["counts"]["sources"]}
    known = body["context"]["sources"]
    return [(name, posts.get(name, 0), known[name]) for name in sorted(known, key=lambda n: (-posts.get(n, 0), n))]


def total(statuses: Mapping[str, int]) -> int:
    """All posts, wherever they stand."""
    return sum(statuses.values())


def repeating(one: Mapping[str, Any], week: str = "spread") -> int:
    """The posts that repeat a claim, confirmed and awaiting together; `before` gives the week before."""
    return int(one[week]["decided"] + one[week]["flagged"])


def repeated_claims(body: Body) -> list[Mapping[str, Any]]:
    """The claims that were repeated in the week, most repeated first."""
    return [one for one in body["counts"]["claims"] if repeating(one)]


def statement(body: Body, claim: str, words: Words) -> str:
    """What a claim says, in the report's language where it is written in it; its id where the ledger lacks it."""
    texts = body["context"]["claims"][claim]["statement"]
    return str(texts.get(words.language) or next(iter(texts.values()), claim))


def _seen(body: Body, words: Words) -> str:
    posts, before = total(body["counts"]["posts"]), total(body["counts"]["before"])
    if not posts:
        return words.say("No posts were collected (%(before)s the week before).", before=words.number(before))
    return words.count(
        "%(n)s post was collected (%(before)s the week before).",
        "%(n)s posts were collected (%(before)s the week before).",
        posts,
        before=words.number(before),
    )


def _repeated(body: Body, words: Words) -> str:
    claims = repeated_claims(body)
    if not claims:
        return words.say("No known claim was seen repeated.")
    first = claims[0]
    return words.count(
        "The claim repeated most was “%(claim)s”: %(n)s post (%(before)s the week before; confirmed by a person:"
        " %(decided)s).",
        "The claim repeated most was “%(claim)s”: %(n)s posts (%(before)s the week before; confirmed by a person:"
        " %(decided)s).",
        repeating(first),
        claim=statement(body, first["claim"], words).rstrip(". "),
        before=words.number(repeating(first, "before")),
        decided=words.number(first["spread"]["decided"]),
    )


def _answered(body: Body, words: Words) -> str:
    claims, late = repeated_claims(body), _late(body["counts"]["responses"]["overdue"], words)
    if not claims:
        return f"{late[0].upper()}{late[1:]}."
    corrected = sum(one["answers"]["corrections"] > 0 for one in claims)
    if len(claims) == 1 and not corrected:
        return words.say("1 claim was repeated, still without a published correction; %(late)s.", late=late)
    return words.count(
        "%(n)s claim was repeated, with a published correction; %(late)s.",
        "%(n)s claims were repeated, %(corrected)s of them with a published correction; %(late)s.",
        len(claims),
        corrected=words.number(corrected),
        late=late,
    )


def _late(overdue: int, words: Words) -> str:
    if not overdue:
        return words.say("no response is overdue")
    return words.count("%(n)s response is overdue", "%(n)s responses are overdue", overdue)
