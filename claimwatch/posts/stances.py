"""What the posts of a decided card say, by what was decided of it."""

from claimwatch.records import Action, CardState, CardUpdate, Stance

_STANCES = {
    Action.REPEATS: Stance.REPEATS,
    Action.NEW_CLAIM: Stance.REPEATS,
    Action.REFUTES: Stance.REFUTES,
    Action.ASKS: Stance.ASKS,
    Action.NOT_HEALTH: Stance.OTHER,
}


def stance_decided(update: CardUpdate) -> str | None:
    """The stance of its posts while the card stands decided so; None where nothing was decided of it."""
    stance = _STANCES.get(update.action) if update.action and update.state is CardState.DECIDED else None
    return stance.value if stance else None
