"""Trains challengers, compares them with the model that is served, and promotes those that are not worse."""

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from claimwatch.desk import Desk
from claimwatch.errors import ClaimwatchError, ConfigError, StoreError
from claimwatch.ledger import claims, decisions, facts
from claimwatch.settings import Places
from jobs.assess import build_encoder

if TYPE_CHECKING:
    from classifier.challenge import Comparison, Contest
    from classifier.decided import Decided
    from classifier.encoder import Encoder
    from classifier.registry import Entry, Registry
    from classifier.rows import Row
    from classifier.serving import HeadModel
    from classifier.training import Training

#: The ledger's fact with the promotions and rollbacks of this desk, oldest first.
HISTORY = "model.history"
_REMEMBERED = 100
Advance = Callable[[int], None]


class RefusedError(ClaimwatchError):
    """The challenger is worse than the model that is served, which goes on being served."""


@dataclass(slots=True)
class Trial:
    """One desk's models, each opened once."""

    desk: Desk
    where: Places
    advance: Advance = field(default=lambda _: None)
    _encoder: "Encoder | None" = None
    _models: "dict[Path, HeadModel]" = field(default_factory=dict)

    @property
    def encoder(self) -> "Encoder":
        """The encoder of this machine, built first where it is missing."""
        from classifier.serving import open_encoder

        if self._encoder is None:
            build_encoder(self.where, self.desk.settings.classify.variant)
            self._encoder = open_encoder(self.where.cache, self.desk.settings.classify)
        return self._encoder

    def train(self, name: str, seed: int, *, tune: bool = False) -> tuple["Entry", "Decided"]:
        """A challenger from the corpus outside the frozen set and all but the newest decided texts.

        New heads beside the served model's tower where it has one; with `tune` a tower of its own.
        """
        from classifier.frozen import split
        from classifier.registry import Registry
        from classifier.rows import corpus
        from classifier.training import Training

        decided = self.decided()
        older, newest = decided.older_and_newest()
        if not older:
            raise ConfigError("no decided text is kept to learn from: decide some cards first")
        with self.desk.ledger.read() as db:
            active = claims.every(db, "active")
        until = max((row.created_at for row in older if row.created_at), default=None)
        about = {
            "data": "corpus and decisions",
            "frozen": "left out",
            "decisions": {"learnt": len(older), "held": len(newest), "until": until.isoformat() if until else None},
        }
        rows = split(corpus())[0] + older
        wanted = Training(rows=rows, claims=active, seed=seed, version=name, about=about)
        registry = Registry(self.where.data)
        if (registry.folder / name / "model.json").exists():  # without it, a training that was stopped goes on
            raise StoreError(f"a model {name!r} is already kept: name another with --out")
        self._learn(wanted, registry, registry.folder / name, tune=tune)
        return registry.find(name), decided

    def _learn(self, wanted: "Training", registry: "Registry", folder: Path, *, tune: bool) -> None:
        from classifier.adapter import FILE
        from classifier.training import relearn, save_model, train_model, tune_model

        served = registry.find(registry.serving().name)
        encoder = self._in_full()
        if tune:
            from classifier.finetune import Recipe

            save_model(tune_model(encoder, wanted, folder, Recipe(), self.advance), folder)
        elif "tower" in served.card:
            heads = relearn(encoder, wanted, served.folder, self.advance)
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(served.folder / FILE, folder / FILE)
            save_model(heads, folder)
        else:
            save_model(train_model(encoder, wanted, self.advance), folder)

    def _in_full(self) -> "Encoder":
        """What is learnt from is read in full precision, however the model is served."""
        from classifier.encoder import Encoder

        if self.encoder.variant == "float32":
            return self.encoder
        return Encoder.open(
            self.where.cache / "encoder", variant="float32", threads=self.desk.settings.classify.threads
        )

    def compare(self, challenger: "Entry") -> "Comparison":
        """The challenger beside what is served now, on the frozen set and on the newest decisions."""
        from classifier.challenge import Comparison, enough
        from classifier.registry import Registry

        registry = Registry(self.where.data)
        champion = registry.find(registry.serving().name)
        decided = self.decided().after(_learnt_until(champion.card, challenger.card))
        contests, notes = [self._frozen(champion, challenger)], []
        if enough(decided):
            contests.append(self._contest("decisions", decided, self._open(champion), self._open(challenger)))
        else:
            notes.append(f"{len(decided)} decided texts are new to both models: too few to tell them apart by.")
        if self.desk.settings.classify.threshold is not None:
            notes.append("classify.threshold is set and holds for every model: look at `claimwatch tune` afterwards.")
        return Comparison(
            champion=champion.name, challenger=challenger.name, contests=tuple(contests), notes=tuple(notes)
        )

    def decided(self) -> "Decided":
        """The team's decisions as rows."""
        from classifier.decided import decided_rows

        with self.desk.ledger.read() as db:
            return decided_rows(decisions.every(db), {claim.id: claim for claim in claims.every(db)})

    def _frozen(self, champion: "Entry", challenger: "Entry") -> "Contest":
        """Where just one of the two has learnt from the frozen rows, a stand-in without them takes its place."""
        from classifier.frozen import split
        from classifier.rows import corpus

        rows = split(corpus())[1]
        seen = [one.card.get("frozen") != "left out" for one in (champion, challenger)]
        unfair = seen[0] != seen[1]
        sides = [
            self._stand_in() if unfair and saw else self._open(one)
            for one, saw in zip((champion, challenger), seen, strict=True)
        ]
        note = "Both models have learnt from these rows: the figures flatter both." if all(seen) else ""
        if unfair:
            name = (champion if seen[0] else challenger).name
            note = f"{name} has learnt from these rows; heads of its recipe trained without them stand in."
        return self._contest("frozen", rows, sides[0], sides[1], note)

    def _contest(
        self, name: str, rows: Sequence["Row"], champion: "HeadModel", challenger: "HeadModel", note: str = ""
    ) -> "Contest":
        from classifier.challenge import contest

        texts = [row.text for row in rows]
        said = [model.judge(texts, self.advance) for model in (champion, challenger)]
        return contest(name, rows, said[0], said[1], note=note)

    def _stand_in(self) -> "HeadModel":
        from classifier.frozen import split
        from classifier.rows import corpus
        from classifier.serving import HeadModel
        from classifier.training import Training, train_model

        wanted = Training(rows=split(corpus())[0], claims=[], seed=1, version="stand-in")
        heads = train_model(self._in_full(), wanted, self.advance)
        return HeadModel(self.encoder, heads, self.desk.settings.classify)

    def _open(self, entry: "Entry") -> "HeadModel":
        """As it is or would be served: where int8 loses too much of this very model, in float32."""
        from classifier.serving import open_model

        if entry.folder not in self._models:
            self._models[entry.folder] = open_model(self.where.cache, self.desk.settings.classify, folder=entry.folder)
        return self._models[entry.folder]


def promote(trial: Trial, challenger: "Entry", found: "Comparison", *, force: str = "") -> None:
    """Serve the challenger and keep why. RefusedError where it is worse and nobody gives a reason to serve it still."""
    from classifier.registry import Registry

    if not found.passed and not force:
        raise RefusedError(
            f"{challenger.name} is worse than {found.champion} (see {challenger.folder / 'comparison.md'}): "
            'nothing was changed; `--force "REASON"` promotes it all the same'
        )
    Registry(trial.where.data).serve(challenger.name)
    note_change(
        trial.desk,
        {
            "what": "promoted",
            "model": challenger.name,
            "before": found.champion,
            "passed": found.passed,
            "reason": force,
            "comparison": found.as_dict(),
        },
    )


def note_change(desk: Desk, change: Mapping[str, Any]) -> None:
    """Append a promotion or rollback to the ledger."""
    with desk.ledger.write() as db:
        kept = json.loads(facts.get(db, HISTORY) or "[]")
        kept = [*kept, {"at": desk.now().isoformat(), **change}][-_REMEMBERED:]
        facts.put(db, HISTORY, json.dumps(kept, ensure_ascii=False))


def write_comparison(folder: Path, found: "Comparison") -> None:
    """Put comparison.json and comparison.md beside the model."""
    from classifier.challenge import as_markdown

    try:
        text = json.dumps(found.as_dict(), ensure_ascii=False, indent=1) + "\n"
        (folder / "comparison.json").write_text(text, encoding="utf-8")
        (folder / "comparison.md").write_text(as_markdown(found), encoding="utf-8")
    except OSError as error:
        raise StoreError(f"{folder}: the comparison cannot be written ({error.strerror}): mend its rights") from error


def _learnt_until(*cards: Mapping[str, Any]) -> datetime | None:
    """The newest decision that any of these models has learnt from."""
    known = [card.get("decisions", {}).get("until") for card in cards]
    return max((datetime.fromisoformat(one) for one in known if one), default=None)
