"""The frozen set: the part of the project's own corpus that models are compared on and challengers never see."""

import hashlib
from collections.abc import Sequence

from classifier.rows import Row

#: Out of 256: about a quarter of the claims. Changing this changes the set: no comparison before and after holds.
_FROZEN = 64


def is_frozen(row: Row) -> bool:
    """Whether the row is of the frozen set: by its claim, or by its text where it is about none.

    A claim is wholly inside or wholly outside, and stays there however the corpus grows.
    """
    return hashlib.sha256(f"frozen set 1: {row.cluster}".encode()).digest()[0] < _FROZEN


def split(rows: Sequence[Row]) -> tuple[list[Row], list[Row]]:
    """The rows outside the frozen set, and those inside."""
    outside = [row for row in rows if not is_frozen(row)]
    return outside, [row for row in rows if is_frozen(row)]


def digest(rows: Sequence[Row]) -> str:
    """Names these rows, texts and labels: figures on them hold as long as this is the same."""
    whole = hashlib.sha256()
    for row in rows:
        whole.update(f"{row.text}\0{row.positive}\0".encode())
    return whole.hexdigest()[:12]
