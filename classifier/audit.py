"""Draws a few posts a day that no model flagged into the queue, so that what is missed can be told."""

from collections.abc import Collection, Mapping, Sequence

from claimwatch.clock import local_day
from claimwatch.desk import Desk
from claimwatch.ledger import audits
from claimwatch.ledger.audits import Audit
from claimwatch.records import Assessment, Post, Stance


def draw_audits(
    desk: Desk, page: Sequence[Post], assessments: Mapping[str, Assessment], groups: Mapping[str, str]
) -> Collection[str]:
    """The ids of those of these posts that get a card by lot; noted before the card is there, so that none lacks it."""
    wanted = desk.settings.classify.audit_per_day
    passed = {post.text_hash: post for post in page if _may_be_drawn(assessments.get(post.id))}
    if not wanted or not passed:
        return ()
    have = desk.posts.card([groups[post.id] for post in passed.values()])
    with desk.ledger.write() as db:
        share = audits.share_of(db, local_day(desk.now(), desk.settings.zone), wanted, met=len(passed))
        drawn = [post for text, post in passed.items() if groups[post.id] not in have and audits.is_drawn(text, share)]
        for post in drawn:
            said = assessments[post.id]
            audits.note(
                db,
                Audit(
                    card=groups[post.id],
                    share=share,
                    # All are on topic; by how much repeating leads is not kept, so that is left out.
                    hinges=said.stance in {None, Stance.REPEATS},
                    language=post.language,
                    at=desk.now(),
                ),
            )
    return {post.id for post in drawn}


def _may_be_drawn(said: Assessment | None) -> bool:
    return said is not None and said.on_topic and not said.flag
