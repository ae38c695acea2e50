"""From the team's decisions to a promoted model and back, on the tiny real encoder."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from claimwatch.desk import Desk
from claimwatch.errors import ConfigError, StoreError
from claimwatch.ledger import decisions, facts, users
from claimwatch.ledger.decisions import Judgement
from claimwatch.records import Action, Role, Stance
from claimwatch.settings import Classify, Places
from claimwatch.text.fold import text_hash
from classifier.adapter import FILE, Adapter, save_adapter
from classifier.challenge import Comparison, contest
from classifier.encoder import Encoder
from classifier.heads import load_heads, save_heads
from classifier.model import Opinion
from classifier.registry import Registry
from classifier.rows import corpus
from classifier.serving import HeadModel, shipped_folder
from classifier.training import Training, save_model, train_model
from jobs.promotion import HISTORY, RefusedError, Trial, promote, write_comparison
from jobs.work import Work
from tiny_model import HIDDEN, LAYERS, tiny_encoder_folder

SECRET = "my neighbour's words"


@pytest.fixture
def where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Places:
    """A machine with the tiny encoder, a small corpus, and a shipped model of linear heads on it."""
    rows = corpus()[::12]
    folder = tiny_encoder_folder(tmp_path / "cache" / "encoder")
    monkeypatch.setattr("classifier.rows.corpus", lambda: rows)
    learnt = Training(rows=rows[::2], claims=[], seed=1, version="tiny", about={"frozen": "left out"})
    save_model(train_model(Encoder.open(folder), learnt), tmp_path / "shipped" / "tiny")
    for module in ("serving", "registry"):
        monkeypatch.setattr(f"classifier.{module}.SHIPPED", tmp_path / "shipped")
    for module in ("jobs.promotion", "jobs.assess"):
        monkeypatch.setattr(f"{module}.build_encoder", lambda *_: None)
    return Places(config=tmp_path, data=tmp_path / "data", cache=tmp_path / "cache", keys=tmp_path)


def decide_many(desk: Desk, many: int = 60) -> None:
    with desk.ledger.write() as db:
        user = users.add(db, "mai", "a long password", Role.MODERATOR, desk.now())
        for n in range(many):
            action = (Action.REPEATS, Action.REFUTES, Action.NOT_HEALTH)[n % 3]
            says = ("garlic cures covid", "fake: garlic cures nothing", "the bus is late")[n % 3]
            text = f"{says}, {SECRET} number {n}"
            judged = Judgement(
                card=f"c{n}", seen=0, action=action, user=user.id, post=f"p{n}", text_hash=text_hash(text), text=text,
                language="en", model="m-1", p_false=0.9, flag=True,
            )  # fmt: skip
            decisions.add(db, judged, desk.now())


def _renamed(folder: Path, name: str, tmp_path: Path) -> Path:
    """The same model under another name, in a folder outside the registry."""
    heads = load_heads(folder)
    target = tmp_path / "made" / name
    save_heads(replace(heads, card={**heads.card, "version": name}), target)
    return target


def test_a_challenger_is_trained_compared_promoted_and_rolled_back(desk: Desk, where: Places, tmp_path: Path) -> None:
    decide_many(desk)
    trial = Trial(desk, where)
    first, counted = trial.train("first", seed=1)
    assert (len(counted.rows), first.card["decisions"]["learnt"], first.card["decisions"]["held"]) == (60, 45, 15)
    registry = Registry(where.data)
    registry.serve("first")

    work = Work(desk, where)
    served = work._ready()
    assert isinstance(served, HeadModel)
    assert work._ready() is served
    second = registry.adopt(_renamed(first.folder, "second", tmp_path))
    found = trial.compare(second)
    write_comparison(second.folder, found)
    assert [one.name for one in found.contests] == ["frozen"]
    assert found.notes[0].startswith("0 decided texts are new") or found.notes[0].startswith("15 decided texts")
    promote(trial, second, found, force="" if found.passed else "tried by a test")
    assert work._ready().version.startswith("second-")
    assert registry.rollback() == "first"
    assert work._ready().version == served.version

    with desk.ledger.read() as db:
        kept = json.loads(facts.get(db, HISTORY) or "")
    assert [(one["what"], one["model"], one["before"]) for one in kept] == [("promoted", "second", "first")]
    written = "".join(file.read_text(encoding="utf-8") for file in second.folder.glob("*.[jm][sd]*"))
    assert "## The rule" in written
    assert SECRET not in written + json.dumps(kept)


def test_a_tuned_model_is_compared_with_its_tower_and_leaves_it_to_its_challenger(desk: Desk, where: Places) -> None:
    decide_many(desk)
    trial = Trial(desk, where)
    champion = tuned(trial, Registry(where.data).folder / "tuned")
    Registry(where.data).serve("tuned")
    text = corpus()[0].text
    bare = HeadModel(trial.encoder, load_heads(champion), Classify())
    assert trial._open(Registry(where.data).find("tuned")).judge([text]) != bare.judge([text])

    (Registry(where.data).folder / "second").mkdir()  # as a training leaves it that was stopped
    challenger, _ = trial.train("second", seed=1)
    with pytest.raises(StoreError, match="already kept"):
        trial.train("second", seed=1)
    assert (challenger.folder / FILE).read_bytes() == (champion / FILE).read_bytes()
    assert challenger.card["tower_of"] == "tuned"
    assert challenger.card["tower"] == load_heads(champion).card["tower"]
    found = trial.compare(challenger)
    assert (found.champion, found.challenger, found.contests[0].name) == ("tuned", "second", "frozen")


def tuned(trial: Trial, folder: Path) -> Path:
    """The shipped heads with a tower that was moved at random; needs no torch."""
    chance = np.random.default_rng(1)
    outputs = 2 + len(Stance)
    down, up = chance.normal(size=(2, HIDDEN)), chance.normal(size=(HIDDEN, 2))
    layer = f"encoder.layer.{LAYERS - 1}.attention.self.query"
    out = (chance.normal(size=(outputs, HIDDEN)).astype(np.float32), np.zeros(outputs, np.float32))
    save_adapter(Adapter(pairs={layer: (down.astype(np.float32), up.astype(np.float32))}, out=out), folder)
    heads = load_heads(shipped_folder())
    card = {**heads.card, "version": "tuned", "tower": {"share": 0.5}, "lead": 0.5}
    save_heads(replace(heads, card=card), folder)
    return folder


def test_a_worse_challenger_is_refused_unless_somebody_says_why(desk: Desk, where: Places, tmp_path: Path) -> None:
    decide_many(desk)
    trial = Trial(desk, where)
    entry = Registry(where.data).adopt(_renamed(shipped_folder(), "worse", tmp_path))
    rows = corpus()[::3]
    right = [
        Opinion(on_topic=True, p_false=float(bool(row.positive)), stance=None, stage="encoder", flag=bool(row.positive))
        for row in rows
    ]
    wrong = [replace(one, p_false=1 - one.p_false) for one in right]
    lost = Comparison(
        champion=shipped_folder().name, challenger="worse", contests=(contest("frozen", rows, right, wrong),)
    )
    with pytest.raises(RefusedError, match="nothing was changed"):
        promote(trial, entry, lost)
    assert Registry(where.data).serving() == shipped_folder()
    promote(trial, entry, lost, force="the frozen set is out of date")
    assert Registry(where.data).serving() == entry.folder
    with desk.ledger.read() as db:
        (kept,) = json.loads(facts.get(db, HISTORY) or "")
    assert (kept["reason"], kept["passed"]) == ("the frozen set is out of date", False)


def test_without_decisions_there_is_nothing_to_learn(desk: Desk, where: Places) -> None:
    with pytest.raises(ConfigError, match="decide some cards first"):
        Trial(desk, where).train("none", seed=1)
