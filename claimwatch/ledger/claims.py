"""Claims and the answers given to them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from claimwatch.errors import ConfigError
from claimwatch.ledger.tables import claims
from claimwatch.records import Claim, Evidence, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Seeded:
    """What a claim library changed in the ledger."""

    added: int
    changed: int
    kept: tuple[str, ...]  #: ids that differ from the library but were edited by the team


def seed(db: Connection, library: Sequence[Claim], now: datetime) -> Seeded:
    """Bring in a claim library: new claims are added, those nobody edited are changed, edited ones are kept."""
    known = {claim.id: claim for claim in every(db)}
    added = [claim for claim in library if claim.id not in known]
    differing = [claim for claim in library if claim.id in known and not _same(claim, known[claim.id])]
    changed = [claim for claim in differing if not known[claim.id].edited]
    for claim in added:
        db.execute(insert(claims).values(**_row(claim), created_at=now, updated_at=now))
    for claim in changed:
        _write(db, replace(claim, version=known[claim.id].version + 1), now)
    kept = tuple(claim.id for claim in differing if known[claim.id].edited)
    return Seeded(added=len(added), changed=len(changed), kept=kept)


def every(db: Connection, status: str | None = None) -> list[Claim]:
    """All claims by id, or those of one status."""
    query = select(claims).order_by(claims.c.id)
    if status is not None:
        query = query.where(claims.c.status == status)
    return [_claim(row) for row in db.execute(query)]


def get(db: Connection, claim_id: str) -> Claim | None:
    """A claim by id; a merged one answers with the claim it was merged into."""
    row = db.execute(select(claims).where(claims.c.id == redirects(db).get(claim_id, claim_id))).first()
    return _claim(row) if row else None


def some(db: Connection, ids: Collection[str]) -> dict[str, Claim]:
    """The claims asked for, each under the id it was asked by, through redirects."""
    moved = redirects(db)
    found = {claim.id: claim for claim in every(db)}
    return {claim_id: found[target] for claim_id in ids if (target := moved.get(claim_id, claim_id)) in found}


def redirects(db: Connection) -> dict[str, str]:
    """Where each merged claim leads in the end."""
    rows = db.execute(select(claims.c.id, claims.c.merged_into).where(claims.c.merged_into.is_not(None)))
    step = {row.id: row.merged_into for row in rows}
    return {claim_id: _end(claim_id, step) for claim_id in step}


def add(db: Connection, claim: Claim, now: datetime) -> Claim:
    """Keep a claim that the team made. ConfigError where its id is taken."""
    if db.execute(select(claims.c.id).where(claims.c.id == claim.id)).first():
        raise ConfigError(f"claim {claim.id} exists already: choose another id")
    db.execute(insert(claims).values(**_row(replace(claim, edited=True)), created_at=now, updated_at=now))
    return replace(claim, edited=True)


def edit(db: Connection, claim_id: str, changes: Mapping[str, Any], now: datetime) -> Claim:
    """Change fields of a claim by name; its version rises, and a newer library no longer changes it."""
    claim = get(db, claim_id)
    if claim is None:
        raise ConfigError(f"there is no claim {claim_id}")
    changed = replace(claim, **changes, version=claim.version + 1, edited=True)
    _write(db, changed, now)
    return changed


def merge(db: Connection, claim_id: str, into: str, now: datetime) -> None:
    """Make one claim lead to another; its responses and decisions keep the id and are read through the redirect."""
    target = get(db, into)
    if target is None or target.id == claim_id:
        raise ConfigError(f"claim {claim_id} cannot be merged into {into}: name another existing claim")
    edit(db, claim_id, {"status": "merged", "merged_into": target.id}, now)


def _end(claim_id: str, step: Mapping[str, str]) -> str:
    seen = {claim_id}
    while (following := step.get(claim_id)) and following not in seen:
        seen.add(following)
        claim_id = following
    return claim_id


def _write(db: Connection, claim: Claim, now: datetime) -> None:
    db.execute(update(claims).where(claims.c.id == claim.id).values(**_row(claim), updated_at=now))


def _same(left: Claim, right: Claim) -> bool:
    return _row(replace(left, version=1, edited=False)) == _row(replace(right, version=1, edited=False))


def _row(claim: Claim) -> dict[str, Any]:
    row = asdict(claim)
    row["phrasings"] = {language: list(texts) for language, texts in claim.phrasings.items()}
    row["evidence"] = [asdict(one) for one in claim.evidence]
    row["verdict"] = claim.verdict.value if claim.verdict else None
    return row


def _claim(row: Row[Any]) -> Claim:
    values = dict(row._mapping)
    del values["created_at"], values["updated_at"]
    values["phrasings"] = {language: tuple(texts) for language, texts in row.phrasings.items()}
    values["evidence"] = tuple(Evidence(**one) for one in row.evidence)
    values["verdict"] = Verdict(row.verdict) if row.verdict else None
    return Claim(**values)
