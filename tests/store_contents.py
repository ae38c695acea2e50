"""What a store holds, in a form that two stores can be compared by; and how test indices are removed."""

import json
import urllib.request
from typing import Any

from sqlalchemy import select

from claimwatch.ledger.base import Ledger
from claimwatch.ledger.tables import metadata
from claimwatch.posts.base import Kept, Posts


def ledger_rows(ledger: Ledger) -> dict[str, list[tuple[Any, ...]]]:
    """Every row by table, but the author keys, which no copy has."""
    with ledger.read() as db:
        return {
            table.name: [tuple(row) for row in db.execute(select(table).order_by(*table.primary_key))]
            for table in metadata.sorted_tables
            if table.name != "author_keys"
        }


def whole(kept: list[Kept]) -> list[object]:
    """What two stores must agree on; the order within a post is a store's own, but for the assessment that holds."""
    return [
        (
            one.post,
            one.batch,
            one.assessments[-1:],
            *(sorted(map(repr, part)) for part in (one.assessments, one.matches, one.observations, one.writes)),
            sorted(one.vectors),
        )
        for one in kept
    ]


def everything(posts: Posts) -> list[Kept]:
    found: list[Kept] = []
    while page := posts.dump(after=found[-1].post.id if found else "", limit=3):
        found += page
    return found


def remove_indices(url: str, prefix: str) -> None:
    """Delete everything of a prefix."""
    for kind, field in (("_cat/indices", "index"), ("_index_template", "name")):
        with urllib.request.urlopen(f"{url}/{kind}/{prefix}*?format=json") as answer:
            found = json.load(answer)
        rows = found if isinstance(found, list) else next(iter(found.values()))
        for row in rows:
            path = row[field] if field == "index" else f"{kind}/{row[field]}"
            urllib.request.urlopen(urllib.request.Request(f"{url}/{path}", method="DELETE")).close()
