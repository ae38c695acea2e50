"""How far claims spread in a week, from the counts of posts. A refutation is never spread."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

from claimwatch.posts.base import CountRow
from claimwatch.records import Claim, Stance
from reports.numbers import Answers, ClaimCounts, LanguageCounts, Spread, StanceCounts, Statuses

Range = tuple[int, int]


def repeats(row: CountRow) -> bool:
    """Whether these posts are spread: they repeat, and a person confirmed it or the model flagged them."""
    return row.stance == Stance.REPEATS and row.status in {"decided", "flagged"}


def statuses(rows: Iterable[CountRow]) -> Statuses:
    """Posts by where they stand."""
    posts = _summed(rows, lambda row: row.status)
    return Statuses(**{name: posts.get(name, 0) for name in ("new", "passed", "flagged", "decided")})


def spread(rows: Iterable[CountRow]) -> Spread:
    """Posts that repeat, confirmed and awaiting apart."""
    posts = _summed(filter(repeats, rows), lambda row: row.status)
    return Spread(decided=posts.get("decided", 0), flagged=posts.get("flagged", 0))


def stances(rows: Iterable[CountRow]) -> StanceCounts:
    """Posts that refute, ask and report."""
    posts = _summed(rows, lambda row: row.stance)
    return StanceCounts(**{name: posts.get(name, 0) for name in ("refutes", "asks", "reports")})


def by_language(rows: Sequence[CountRow]) -> tuple[LanguageCounts, ...]:
    """Every language met, most posts first."""
    posts = _summed(rows, lambda row: row.language)
    repeating = _summed(filter(repeats, rows), lambda row: row.language)
    found = [LanguageCounts(language=name, posts=n, repeating=repeating.get(name, 0)) for name, n in posts.items()]
    return tuple(sorted(found, key=lambda one: (-one.posts, one.language)))


def by_claim(
    rows: Sequence[CountRow], before: Sequence[CountRow], known: Mapping[str, Claim], answers: Mapping[str, Answers]
) -> tuple[ClaimCounts, ...]:
    """Every claim that this week's posts repeat or speak of, or last week's repeat; most repeated first."""
    rows_of, before_of = _by_claim(rows), _by_claim(before)
    found = []
    for claim_id in sorted((rows_of.keys() | before_of.keys()) - {""}):
        claim = known.get(claim_id)
        one = ClaimCounts(
            claim=claim_id,
            spread=spread(rows_of.get(claim_id, [])),
            before=spread(before_of.get(claim_id, [])),
            stances=stances(rows_of.get(claim_id, [])),
            verdict=claim.verdict.value if claim and claim.verdict else None,
            harm=claim.harm if claim else 0,
            answers=answers.get(claim_id, Answers()),
        )
        if one.spread.posts or one.before.posts or one.stances != StanceCounts():
            found.append(one)
    return tuple(sorted(found, key=lambda one: (-one.spread.posts, one.claim)))


def accounts(
    listed: Iterable[ClaimCounts],
    counted: Mapping[str, Range],
    purged: Iterable[CountRow],
    redirects: Mapping[str, str],
) -> dict[str, Range]:
    """At least and at most how many accounts repeat each claim.

    Claims merged since may share accounts, so they give at least the largest of them, at most their sum; a purged
    post may be of an account more or not. Nobody needs more accounts than posts.
    """
    parts: dict[str, list[Range]] = defaultdict(list)
    for claim_id, both in counted.items():
        parts[redirects.get(claim_id, claim_id)].append(both)
    gone = _summed(filter(repeats, purged), lambda row: redirects.get(row.claim, row.claim))
    ranges = {}
    for one in listed:
        found = parts.get(one.claim, [])
        high = min(one.spread.posts, sum(most for _, most in found) + gone.get(one.claim, 0))
        low = max([min(1, high), *(least for least, _ in found)])
        ranges[one.claim] = (min(low, high), high)
    return ranges


def _by_claim(rows: Iterable[CountRow]) -> dict[str, list[CountRow]]:
    found: dict[str, list[CountRow]] = defaultdict(list)
    for row in rows:
        found[row.claim].append(row)
    return found


def _summed(rows: Iterable[CountRow], key: Callable[[CountRow], str]) -> dict[str, int]:
    total: dict[str, int] = defaultdict(int)
    for row in rows:
        total[key(row)] += row.posts
    return total
