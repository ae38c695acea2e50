"""Carries decisions from the ledger to the posts store, as often as it takes."""

from claimwatch.desk import Desk
from claimwatch.ledger import decisions
from claimwatch.records import Decision


def project_decisions(desk: Desk) -> int:
    """Deliver every waiting outbox row; how many. A kill in between delivers a row again, which is harmless."""
    delivered = 0
    while True:
        with desk.ledger.read() as db:
            rows = decisions.waiting(db)
        if not rows:
            return delivered
        desk.posts.project([state for _, state in rows])
        with desk.ledger.write() as db:
            for row_id, _ in rows:
                decisions.delivered(db, row_id)
        delivered += len(rows)


def reproject(desk: Desk) -> int:
    """Write the decided state of every card that has any decision; how many. For `claimwatch reindex`."""
    with desk.ledger.read() as db:
        histories: dict[str, list[Decision]] = {}
        for decision in decisions.every(db):
            histories.setdefault(decision.card, []).append(decision)
    states = [state for card, history in histories.items() if (state := decisions.state_of(card, history))]
    desk.posts.project(states)
    return len(states)
