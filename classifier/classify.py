"""The stage that gives every new post an opinion. Safe to stop and to run again at any point."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from claimwatch import metrics
from claimwatch.clock import week_of
from claimwatch.desk import Desk
from claimwatch.ledger import claims, runs, scores
from claimwatch.ledger.scores import Scored
from claimwatch.posts.base import Assessed, Posts, Work
from claimwatch.records import Assessment, Match, Post
from classifier.cards import Flagged, open_cards
from classifier.model import Model, Opinion

#: A new model looks again at posts collected within so many days; older ones keep the opinion they have.
_RESCORED = timedelta(days=14)
ALL_SLOTS = range(256)


@metrics.timed_pass()
def classify_new_posts(
    desk: Desk, model: Model, *, slots: range = ALL_SLOTS, progress: Callable[[int], None] = lambda _: None
) -> Counter[str]:
    """Assess every post this model has not seen; how many were flagged and how many passed."""
    now = desk.now()
    with desk.ledger.read() as db:
        active = claims.every(db, "active")
    model.learn_claims(active)  # may encode for seconds: no transaction waits for that
    with desk.ledger.write() as db:
        run = runs.start(db, "classify", now)
    work = Work(stage="classify", model=model.version, since=now - _RESCORED)
    total: Counter[str] = Counter()
    for page in in_pages(desk.posts, work, slots, desk.settings.classify.batch):
        outcomes, fresh = _assess(desk, model, page)
        with desk.ledger.write() as db:
            runs.count(db, run, outcomes)
            for week, scored in fresh.items():
                scores.add(db, week, model.version, model.thresholds.get("p_false"), scored)
        metrics.count_classified(outcomes)
        total += outcomes
        progress(len(page))
    with desk.ledger.write() as db:
        runs.finish(db, run, desk.now())
    return total


def in_pages(posts: Posts, work: Work, slots: range, batch: int) -> Iterator[list[Post]]:
    """One pass over what is pending, page by page."""
    after = None
    while page := posts.pending(work, slots, after=after, limit=batch):
        yield page
        after = page[-1]


def _assess(desk: Desk, model: Model, page: Sequence[Post]) -> tuple[Counter[str], dict[str, list[Scored]]]:
    """Judge the texts nobody judged yet, then write an assessment for every post of the page.

    Outcomes of all posts, and by week the scores of the texts that were judged. Of posts that say the same, the first
    by id is judged, however they fall into pages and slices.
    """
    known = desk.posts.scored({post.text_hash for post in page}, model.version)
    fresh = {post.text_hash: post.text for post in reversed(page) if post.text_hash not in known}
    opinions = dict(zip(fresh, model.judge(list(fresh.values())), strict=True))
    assessed = [
        _written(desk, model, post, opinions[post.text_hash])
        if post.text_hash in opinions
        else _again(desk, post, known[post.text_hash])
        for post in page
    ]
    placed = [Flagged(post=post, by=one) for post, one in zip(page, assessed, strict=True) if post.group]
    open_cards(desk, [one for one in placed if one.by.assessment.flag])
    desk.posts.assess(assessed)
    desk.posts.refresh()  # the next page looks here for texts that were judged
    outcomes = Counter("flagged" if one.assessment.flag else "passed" for one in assessed)
    return outcomes, _scored({post.text_hash: post for post in page if post.text_hash in opinions}, opinions)


def _scored(said_by: Mapping[str, Post], opinions: Mapping[str, Opinion]) -> dict[str, list[Scored]]:
    """The scores of these texts by the week of a post that says them: copies would count one voice often."""
    weeks: dict[str, list[Scored]] = {}
    for text, post in said_by.items():
        said = opinions[text]
        one = Scored(language=post.language, p_false=said.p_false, hinges=said.hinges)
        weeks.setdefault(week_of(post.day), []).append(one)
    return weeks


def _written(desk: Desk, model: Model, post: Post, opinion: Opinion) -> Assessed:
    assessment = Assessment(
        post=post.id,
        text_hash=post.text_hash,
        model=model.version,
        on_topic=opinion.on_topic,
        p_false=opinion.p_false,
        stance=opinion.stance,
        stage=opinion.stage,
        flag=opinion.flag,
        why=opinion.why,
    )
    matches = tuple(
        Match(
            post=post.id,
            text_hash=post.text_hash,
            claim=near.claim,
            claim_version=near.version,
            similarity=near.similarity,
            confirmed=near.confirmed,
        )
        for near in opinion.nearest
    )
    written = Assessed(assessment=assessment, matches=matches, vector=opinion.vector, encoder=model.encoder)
    return _kept(desk, post, written)


def _again(desk: Desk, post: Post, known: Assessed) -> Assessed:
    """The opinion of a text that was judged before, for one more post that says it."""
    return _kept(
        desk,
        post,
        Assessed(
            assessment=replace(known.assessment, post=post.id),
            matches=tuple(replace(match, post=post.id) for match in known.matches),
        ),
    )


def _kept(desk: Desk, post: Post, assessed: Assessed) -> Assessed:
    """Flagged posts are kept longer."""
    if not assessed.assessment.flag:
        return assessed
    return replace(assessed, expires_at=post.collected_at + timedelta(days=desk.settings.keep.flagged))
