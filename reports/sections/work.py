"""What people decided, and what the team did about claims."""

from reports.layout import Cell, Section, Table, numbers
from reports.sentences import Body
from reports.words import Words


def decisions_section(body: Body, words: Words) -> Section:
    """The section of the decisions."""
    made = body["counts"]["decisions"]
    names = {
        "repeats": words.say("repeats a known claim"),
        "new_claim": words.say("makes a new claim"),
        "refutes": words.say("refutes a claim"),
        "asks": words.say("asks about a claim"),
        "not_health": words.say("no health claim"),
        "skip": words.say("skipped"),
        "undo": words.say("earlier decision taken back"),
    }
    rows = tuple(
        (Cell(text=name), *numbers(words, [made["made"].get(key, 0), made["undone"].get(key, 0)]))
        for key, name in names.items()
    )
    head = (words.say("Decision"), words.say("Made this week"), words.say("Of these taken back since"))
    caption = words.say("Decisions by kind")
    return Section(
        id="decisions",
        title=words.say("Decisions"),
        intro=" ".join(_decision_sentences(body, words)),
        tables=(Table(caption=caption, head=head, rows=rows),) if made["made"] else (),
    )


def _decision_sentences(body: Body, words: Words) -> list[str]:
    made, waiting = body["counts"]["decisions"], body["context"]["waiting"]
    if not made["made"]:
        return [words.say("No decisions were made.")]
    told = [
        words.say("Cards settled: %(n)s.", n=words.number(made["settled"])),
        words.say(
            "Flagged by the model and found by a person to repeat no claim: %(n)s.",
            n=words.of(made["overturned"], made["flagged"]),
        ),
        words.say(
            "Not flagged by the model and found by a person to repeat a claim: %(n)s.",
            n=words.of(made["missed"], made["settled"] - made["flagged"]),
        ),
    ]
    if waiting["median"] is not None:
        told.append(
            words.say(
                "Median time from a card's opening to its first decision: %(time)s (measured on %(n)s).",
                time=_duration(waiting["median"], words),
                n=words.of(waiting["measured"], waiting["cards"]),
            )
        )
    return told


def _duration(minutes: int, words: Words) -> str:
    if minutes < 120:
        return words.count("%(n)s minute", "%(n)s minutes", minutes)
    hours = round(minutes / 60)
    if hours < 48:
        return words.count("%(n)s hour", "%(n)s hours", hours)
    return words.count("%(n)s day", "%(n)s days", round(hours / 24))


def responses_section(body: Body, words: Words) -> Section:
    """The section of the responses."""
    responses = body["counts"]["responses"]
    names = {
        "correction_published": words.say("correction published"),
        "health_team_informed": words.say("health team informed"),
        "partner_informed": words.say("partner informed"),
        "watching": words.say("watching"),
        "no_action": words.say("no action"),
    }
    rows = tuple(
        (Cell(text=name), *numbers(words, [responses["begun"].get(key, 0), responses["done"].get(key, 0)]))
        for key, name in names.items()
    )
    head = (words.say("Response"), words.say("Begun this week"), words.say("Carried out this week"))
    return Section(
        id="responses",
        title=words.say("Responses"),
        intro=words.say(
            "Open at the week's end: %(open)s, overdue of these: %(overdue)s.",
            open=words.number(responses["open"]),
            overdue=words.number(responses["overdue"]),
        ),
        tables=(Table(caption=words.say("Responses by kind"), head=head, rows=rows),),
    )
