"""The claims repeated most, this week beside the week before."""

from collections.abc import Mapping, Sequence
from typing import Any

from reports import charts
from reports.charts import Entry
from reports.layout import Cell, Section, Table
from reports.sentences import Body, repeated_claims, repeating, statement, total
from reports.words import Words

#: Claims shown on the page; the CSV and the JSON hold all.
SHOWN = 10


def claims_section(body: Body, words: Words) -> Section:
    """The section of the claims."""
    claims = repeated_claims(body)
    shown = claims[:SHOWN]
    entries = [
        Entry(
            label=f"{rank}. {statement(body, one['claim'], words)}",
            values=(
                ("now", repeating(one), words.number(repeating(one))),
                ("before", repeating(one, "before"), words.number(repeating(one, "before"))),
            ),
        )
        for rank, one in enumerate(shown, 1)
    ]
    return Section(
        id="claims",
        title=words.say("Claims repeated most"),
        intro=_claims_intro(body, words, len(shown), len(claims)),
        chart=charts.bars(entries) if entries else None,
        chart_title=words.say("Posts that repeat each claim, this week and the week before"),
        keys=(("now", words.say("this week")), ("before", words.say("the week before"))),
        tables=(_claims_table(body, words, shown),) if shown else (),
    )


def _claims_intro(body: Body, words: Words, shown: int, claims: int) -> str:
    spread, unnamed = sum(map(repeating, repeated_claims(body))), body["counts"]["unnamed"]
    sentences = [
        words.say(
            "Posts that repeat a known claim: %(spread)s.",
            spread=words.of(spread, total(body["counts"]["posts"])),
        )
    ]
    if nameless := unnamed["decided"] + unnamed["flagged"]:
        sentences.append(words.say("Posts that repeat a claim not known yet: %(n)s.", n=words.number(nameless)))
    if claims > shown:
        sentences.append(words.say("Shown: %(n)s claims; the CSV file has all.", n=words.of(shown, claims)))
    if not claims:
        sentences.append(words.say("No known claim was seen repeated."))
    return " ".join(sentences)


def _claims_table(body: Body, words: Words, shown: Sequence[Mapping[str, Any]]) -> Table:
    head = (
        words.say("Claim"),
        words.say("Posts this week"),
        words.say("Week before"),
        words.say("Accounts"),
        words.say("Refute / ask / report"),
        words.say("Responses done / open"),
    )
    rows = tuple(_claim_row(body, words, rank, one) for rank, one in enumerate(shown, 1))
    return Table(caption=words.say("The claims in figures"), head=head, rows=rows)


def _claim_row(body: Body, words: Words, rank: int, one: Mapping[str, Any]) -> tuple[Cell, ...]:
    context = body["context"]["claims"][one["claim"]]
    spread, answers, stances = one["spread"], one["answers"], one["stances"]
    now, before = repeating(one), repeating(one, "before")
    verdict = words.say(
        "%(verdict)s · harm %(harm)s of 4", verdict=_verdict(one["verdict"], words), harm=words.number(one["harm"])
    )
    apart = (
        words.say("confirmed: %(n)s", n=words.number(spread["decided"])),
        words.say("awaiting: %(n)s", n=words.number(spread["flagged"])),
    )
    late = (words.say("overdue: %(n)s", n=words.number(answers["overdue"])),) if answers["overdue"] else ()
    return (
        Cell(text=f"{rank}. {statement(body, one['claim'], words)}", notes=(verdict,), links=tuple(context["links"])),
        Cell(text=words.number(now), notes=apart),
        Cell(text=words.number(before), notes=words.change(now, before)),
        Cell(text=words.between(*context["accounts"])),
        Cell(text=" / ".join(words.number(stances[name]) for name in ("refutes", "asks", "reports"))),
        Cell(text=f"{words.number(answers['done'])} / {words.number(answers['open'])}", notes=late),
    )


def _verdict(verdict: str | None, words: Words) -> str:
    names = {
        "false": words.say("false"),
        "misleading": words.say("misleading"),
        "unproven": words.say("unproven"),
        "true": words.say("true"),
        "not_health": words.say("not a health claim"),
    }
    return names.get(verdict or "", words.say("no verdict yet"))
