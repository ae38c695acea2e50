"""train and evaluate as typed: from files of rows to a model that is described, measured and ready to serve."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from classifier.frozen import digest, split
from classifier.rows import Row, corpus
from jobs import cli
from tiny_model import tiny_encoder_folder

SMALL = corpus()[::80]


@pytest.fixture(autouse=True)
def _machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine of its own with the tiny encoder and a small corpus, without claims to match."""
    encoder = tiny_encoder_folder(tmp_path / "cache" / "encoder")
    monkeypatch.setattr("jobs.assess.build_encoder", lambda *_, **__: encoder)
    monkeypatch.setattr("classifier.rows.corpus", lambda: SMALL)
    monkeypatch.setattr("jobs.cli.learn.read_library", lambda _: [])
    for name, folder in (("HOME", "home"), ("CLAIMWATCH_DATA", "data"), ("CLAIMWATCH_CACHE", "cache")):
        monkeypatch.setenv(name, str(tmp_path / folder))


def written(file: Path, rows: Sequence[Row]) -> Path:
    lines = (
        {"id": row.id, "text": row.text, "positive": row.positive, "in_scope": row.in_scope, "stance": row.stance,
         "claim": row.claim, "lang": row.lang, "kind": row.kind, "register": row.register}
        for row in rows
    )  # fmt: skip
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return file


def printed(capsys: pytest.CaptureFixture[str], *arguments: object) -> dict[str, Any]:
    assert cli.run([str(one) for one in arguments]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def refused(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    assert cli.run([str(one) for one in arguments]) == 2
    return " ".join(capsys.readouterr().err.split())


def test_a_model_of_given_rows_is_trained_described_and_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, out = written(tmp_path / "rows.jsonl", SMALL), tmp_path / "mine"
    made = printed(capsys, "train", "--method", "heads", "--data", data, "--seed", 3, "--out", out)
    assert (made["rows"], made["seed"], made["data"]) == (len(SMALL), 3, "rows.jsonl")
    assert made["served_in"].endswith("float32")
    assert "frozen_set" not in made
    assert "rows.jsonl" in (out / "README.md").read_text(encoding="utf-8")
    found = printed(capsys, "evaluate", "--model", out, "--data", data)
    assert found["n"] == sum(row.positive is not None for row in SMALL)
    assert set(found["by"]) == {"lang", "slice", "register", "lang_slice", "lang_register"}
    assert found["auc"][1] <= found["auc"][0] <= found["auc"][2]
    assert {"kind", "stance", "register"} == set(found["flags"])


def test_a_model_without_the_frozen_set_is_measured_on_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "ours"
    made = printed(capsys, "train", "--method", "heads", "--without-frozen", "--out", out)
    assert made["rows"] + made["frozen_set"]["n"] == len(SMALL)
    assert made["frozen_set"]["flagged"]["repeats"]["n"] > 0
    assert made["frozen_set"]["of"] == digest(split(SMALL)[1])
    assert json.loads((out / "model.json").read_text(encoding="utf-8"))["frozen_set"] == made["frozen_set"]
    assert "The corpus' frozen set" in (out / "README.md").read_text(encoding="utf-8")


def test_rows_that_choose_are_not_learnt_nor_is_anything_of_their_claims(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    held = [row for row in SMALL if row.claim][:40]
    strange = [replace(row, id=f"again {row.id}") for row in held[:5]]
    data, valid = written(tmp_path / "rows.jsonl", [*SMALL, *strange]), written(tmp_path / "valid.jsonl", held)
    wanted = ("train", "--method", "heads", "--data", data, "--valid", valid, "--out", tmp_path / "m")
    made = printed(capsys, *wanted)
    claims = {row.claim for row in held}
    assert made["rows"] == sum(row.claim not in claims for row in SMALL)
    assert made["held_out"]["n"] == len(held)
    assert "goes with --data" in refused(capsys, "train", "--valid", valid, "--out", tmp_path / "n")
    alike = written(tmp_path / "alike.jsonl", [row for row in held if row.positive])
    told = refused(capsys, "train", "--method", "heads", "--data", data, "--valid", alike, "--out", tmp_path / "n")
    assert "positives and negatives" in told
