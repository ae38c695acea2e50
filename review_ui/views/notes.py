"""The message bar after a decision, read from the ledger so that no link can forge it."""

from claimwatch.ledger import claims, decisions
from claimwatch.records import Action
from review_ui.labels import ACTIONS
from review_ui.pages import Note
from review_ui.visitor import Visitor


def note_after(visitor: Visitor, card: str) -> Note | None:
    """What the visitor last decided of this card, with what takes it back."""
    if not card:
        return None
    with visitor.desk.ledger.read() as db:
        history = decisions.of_card(db, card)
        claim = claims.get(db, history[-1].claim or "") if history else None
    if not history or history[-1].user != visitor.account.id:
        return None
    last = history[-1]
    if last.action is Action.UNDO:
        return Note(text=visitor.say("The decision was taken back; the card is open again."))
    if last.action is Action.SKIP:
        return Note(text=visitor.say("Skipped. The card waits at the end of your queue."))
    said = visitor.say(ACTIONS[last.action])
    text = visitor.say("Decided: %(action)s", action=said)
    if claim:
        text += f" “{visitor.language.said(claim.statement)}”"
    return Note(text=text, undo_card=card, undo_seen=last.number)
