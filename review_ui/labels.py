"""The words that pages use for verdicts, actions, stances, roles and the rest."""

from collections.abc import Mapping

from claimwatch.records import Action, CardState, Role, Stance, State, Verdict


def N_(message: str) -> str:  # noqa: N802  the name that message extraction knows
    """Marks a message for the catalogue; it is translated where it is shown."""
    return message


VERDICTS: Mapping[str, str] = {
    "": N_("no verdict yet"),
    Verdict.FALSE: N_("false"),
    Verdict.MISLEADING: N_("misleading"),
    Verdict.UNPROVEN: N_("unproven"),
    Verdict.TRUE: N_("true"),
    Verdict.NOT_HEALTH: N_("not a health claim"),
}
ACTIONS: Mapping[str, str] = {
    Action.REPEATS: N_("repeats the claim"),
    Action.NEW_CLAIM: N_("a new claim"),
    Action.REFUTES: N_("refutes it"),
    Action.ASKS: N_("asks about it"),
    Action.NOT_HEALTH: N_("not a health claim"),
    Action.SKIP: N_("skipped"),
    Action.UNDO: N_("undone"),
}
STANCES: Mapping[str, str] = {
    "": N_("stance not told"),
    Stance.REPEATS: N_("repeats"),
    Stance.REFUTES: N_("refutes"),
    Stance.ASKS: N_("asks"),
    Stance.REPORTS: N_("reports"),
    Stance.OTHER: N_("other"),
}
CARD_STATES: Mapping[str, str] = {
    CardState.OPEN: N_("open"),
    CardState.DECIDED: N_("decided"),
    CardState.MERGED: N_("merged into another card"),
}
POST_STATES: Mapping[str, str] = {
    State.LIVE: N_("live"),
    State.EDITED: N_("edited since"),
    State.DELETED: N_("deleted at its source"),
}
ROLES: Mapping[str, str] = {
    Role.VIEWER: N_("viewer: reads"),
    Role.MODERATOR: N_("moderator: decides cards, edits claims"),
    Role.LEAD: N_("lead: also gives verdicts, merges claims"),
    Role.ADMIN: N_("admin: also keeps accounts"),
}
KINDS: Mapping[str, str] = {
    "correction_published": N_("correction published"),
    "health_team_informed": N_("health team informed"),
    "partner_informed": N_("partner informed"),
    "watching": N_("watching"),
    "no_action": N_("no action"),
}
HARMS: Mapping[int, str] = {
    1: N_("1, a nuisance"),
    2: N_("2, delays care"),
    3: N_("3, injures"),
    4: N_("4, can kill"),
}
ORDERS: Mapping[str, str] = {
    "newest": N_("newest first"),
    "relevance": N_("best match first"),
    "urgent": N_("most likely false first"),
}
SOURCE_STATES: Mapping[str, str] = {
    "working": N_("working"),
    "new": N_("not crawled yet"),
    "paused": N_("paused"),
    "blocked": N_("blocked for now"),
    "refused": N_("needs attention"),
    "failing": N_("failing"),
    "not_crawled": N_("not crawled"),
    "silent": N_("silent"),
}
OUTCOMES: Mapping[str, str] = {
    "stored": N_("new"),
    "updated": N_("changed"),
    "unchanged": N_("known already"),
    "deleted": N_("deleted at the source, and here"),
    "empty": N_("without words"),
    "repeated": N_("twice on the page"),
    "repost": N_("shared, not written"),
    "private": N_("not public"),
    "unlisted": N_("unlisted"),
    "opted_out": N_("the author asks not to be collected"),
    "hidden": N_("hidden by moderators"),
    "blocked": N_("blocked"),
    "old": N_("too old"),
    "seen": N_("forgotten here before"),
    "service": N_("a notice of the platform"),
    "advert": N_("an advertisement"),
    "language": N_("another language"),
    "off_topic": N_("off the topic"),
    "rejected": N_("not readable"),
}
RUN_STATES: Mapping[str, str] = {
    "running": N_("running"),
    "done": N_("done"),
    "failed": N_("failed"),
}
#: Filters of the templates, by name.
TABLES: Mapping[str, Mapping[object, str]] = {
    "verdict": dict(VERDICTS.items()),
    "action": dict(ACTIONS.items()),
    "stance": dict(STANCES.items()),
    "card_state": dict(CARD_STATES.items()),
    "post_state": dict(POST_STATES.items()),
    "role": dict(ROLES.items()),
    "kind": dict(KINDS.items()),
    "harm": dict(HARMS.items()),
    "order": dict(ORDERS.items()),
    "source_state": dict(SOURCE_STATES.items()),
    "outcome": dict(OUTCOMES.items()),
    "run_state": dict(RUN_STATES.items()),
}
