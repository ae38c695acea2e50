"""How the week's scores and decisions are spread beside the four weeks before: how far its figures can be compared."""

from collections.abc import Mapping
from typing import Any

from reports.layout import Cell, Section, Table, numbers
from reports.sentences import Body
from reports.words import Words

#: A smaller p is told as below this.
_LEAST = 0.001


def drift_section(body: Body, words: Words) -> Section | None:
    """The section of drift; None where nothing could be compared."""
    compared = body["context"].get("drift", ())
    if not compared:
        return None
    head = (
        words.say("Distribution"),
        words.say("This week"),
        words.say("Four weeks before"),
        words.say("Stability index"),
        words.say("p of the test"),
        words.say("Reading"),
    )
    return Section(
        id="drift",
        title=words.say("Beside the four weeks before"),
        intro=words.say(
            "Whether scores and decisions are spread as they were (population stability index, chi-squared test)."
            " Moved means an index of at least .25 and p below .01: then a rise or a fall may be the model's, not the"
            " rumour's."
        ),
        tables=(
            Table(
                caption=words.say("Scores and decisions, this week and before"),
                head=head,
                rows=tuple(_row(one, words) for one in compared),
            ),
        ),
    )


def _row(one: Mapping[str, Any], words: Words) -> tuple[Cell, ...]:
    name = (
        words.say("decisions by kind")
        if one["what"] == "decisions"
        else words.say("scores of %(language)s texts", language=words.language_name(one["language"]))
    )
    told = (
        words.number(one["psi"]),
        words.number(one["p"]) if one["p"] >= _LEAST else f"< {words.number(_LEAST)}",
        words.say("moved") if one["beyond"] else words.say("steady"),
    )
    return (Cell(text=name), *numbers(words, [one["now"], one["before"]]), *(Cell(text=text) for text in told))
