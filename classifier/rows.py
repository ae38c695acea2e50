"""Labelled rows for training and measuring: our own format, and the public sets by name."""

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from claimwatch.errors import ConfigError
from claimwatch.records import Stance
from claimwatch.text.copies import bands, jaccard
from claimwatch.text.fold import text_hash
from claimwatch.text.language import language_of
from claimwatch.text.normalise import tidy
from claimwatch.text.scrub import scrub

#: The project's own corpus: written for it, synthetic.
CORPUS = Path(__file__).with_name("corpus")
#: Word-shingle Jaccard from which two rows count as copies of one text.
_COPIES = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One labelled text. None where the label is not known."""

    id: str
    text: str
    positive: bool | None
    in_scope: bool | None = None
    stance: Stance | None = None
    claim: str | None = None
    lang: str = "und"
    created_at: datetime | None = None
    cluster: str = ""  #: rows that must stay on one side of a split
    kind: str = ""  #: a slice to report apart
    register: str = ""  #: how it is written, another such slice
    weight: float = 1.0  #: how much it counts in training beside other rows


def read_rows(files: Sequence[Path], mapping: str = "") -> list[Row]:
    """The rows of JSONL files. ConfigError names file and line of the first that cannot be used."""
    if mapping and mapping not in MAPS:
        raise ConfigError(f"--map {mapping!r} is unknown: use one of {', '.join(MAPS)}")
    change = MAPS.get(mapping, dict)
    rows = [_row(change(raw), where) for file in files for where, raw in _lines(file)]
    if not rows:
        raise ConfigError(f"{', '.join(map(str, files)) or 'no file'}: no rows to learn from")
    return _clustered(rows)


def corpus() -> list[Row]:
    """The project's own rows."""
    return read_rows(sorted(CORPUS.glob("*.jsonl")))


def _clustered(rows: Sequence[Row]) -> list[Row]:
    """Rows that name neither claim nor cluster, near-copies together: a split between copies would flatter."""
    parents: dict[str, str] = {}

    def root(name: str) -> str:
        while parents.setdefault(name, name) != name:
            name = parents[name]
        return name

    texts: dict[str, str] = {}
    for row in rows:
        for band in () if row.cluster else bands(row.text):
            first = texts.setdefault(band, row.text)
            if first == row.text or jaccard(first, row.text) >= _COPIES:
                parents[root(text_hash(row.text))] = root(text_hash(first))
    return [row if row.cluster else replace(row, cluster=root(text_hash(row.text))) for row in rows]


def _lines(file: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file}: cannot be read: give the path of a JSONL file in UTF-8") from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            raw = json.loads(line)
        except ValueError as error:
            raise ConfigError(f"{file}, line {number}: not JSON: {error}") from error
        if not isinstance(raw, dict) or not isinstance(raw.get("text"), str):
            raise ConfigError(f"{file}, line {number}: needs an object with `text`")
        yield f"{file}, line {number}", raw


def _row(raw: Mapping[str, Any], where: str) -> Row:
    text = scrub(tidy(str(raw["text"])))
    try:
        stance = Stance(raw["stance"]) if raw.get("stance") else None
        return Row(
            id=str(raw.get("id", where)),
            text=text,
            positive=_truth(raw.get("positive")),
            in_scope=_truth(raw.get("in_scope")),
            stance=stance,
            claim=raw.get("claim"),
            lang=str(raw.get("lang") or language_of(text)),
            created_at=_instant(raw.get("created_at")),
            cluster=str(raw.get("cluster") or raw.get("claim") or ""),
            kind=str(raw.get("kind") or ""),
            register=str(raw.get("register") or ""),
            weight=_weight(raw.get("weight", 1.0)),
        )
    except ValueError as error:
        raise ConfigError(f"{where}: {error}") from error


def _truth(value: Any) -> bool | None:
    if value is None or isinstance(value, bool):
        return value
    raise ValueError(f"a label must be true, false or null, not {value!r}")


def _weight(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
        raise ValueError(f"a weight must be a number above 0, not {value!r}")
    return float(value)


def _instant(value: Any) -> datetime | None:
    if value in (None, ""):
        return None
    if isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC)
    at = datetime.fromisoformat(str(value))
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _reintel(raw: Mapping[str, Any]) -> dict[str, Any]:
    """ReINTEL: only unreliable *health* posts are positives; the rest of it is out of scope (DATA.md)."""
    health = bool(raw.get("topic_health_broad"))
    positive = health and raw.get("label") == "unreliable"
    kind = "health" if health else "other"
    return {**raw, "positive": positive, "in_scope": health, "created_at": raw.get("ts"), "kind": kind, "claim": None}


def _labelled(positive: Mapping[str, bool | None]) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    def change(raw: Mapping[str, Any]) -> dict[str, Any]:
        label = positive.get(str(raw.get("label")))
        return {"id": raw.get("id"), "text": raw["text"], "lang": raw.get("lang"), "positive": label, "in_scope": True}

    return change


def _questions(raw: Mapping[str, Any]) -> dict[str, Any]:
    return {**raw, "positive": False, "in_scope": True, "stance": "asks", "claim": None}


#: How each public set of labelled data is read, by the name given to --map.
MAPS: Mapping[str, Callable[[Mapping[str, Any]], Mapping[str, Any]]] = {
    "reintel": _reintel,
    "constraint": _labelled({"fake": True, "real": False}),
    "rumor": _labelled({"F": True, "T": False, "U": None}),
    "check_covid": _labelled({"REFUTE": True, "SUPPORT": False, "NOTENOUGHINFO": None}),
    "vicov": _questions,
}
