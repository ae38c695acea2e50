"""The whole demo, with the real encoder: the same on every machine, with every score well off its threshold."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from claimwatch import settings
from claimwatch.ledger import decisions, sources
from classifier.heads import blend, features_of, logits_of
from classifier.serving import HeadModel
from jobs.assess import ready_model
from jobs.demo.desk import demo_settings, fresh_stores
from jobs.demo.play import Played, all_posts, play, post_ids
from jobs.demo.script import load_script
from jobs.opening import read_library

pytestmark = pytest.mark.encoder

#: What `claimwatch demo --check` prints everywhere. It changes with the posts, the model or the report's numbers only:
#: run the command and put its new counts here, in the commit that explains them.
EXPECTED = Path(__file__).parent / "data/demo.json"
#: How far each score stays off its threshold (DESIGN.md, One clock).
MARGIN = 0.005


@pytest.fixture(scope="module")
def where() -> settings.Places:
    import os

    return settings.places(os.environ)


@pytest.fixture(scope="module")
def played(where: settings.Places, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    library = read_library(where.config.parent / "claims")
    done = play(where, library, tmp_path_factory.mktemp("demo"), lambda _: None)
    yield done
    done.desk.close()


def test_the_counts_and_the_reports_hash_are_the_same_everywhere(played: Played) -> None:
    counts = {name: value for name, value in played.counts.items() if name != "seconds"}
    assert counts == json.loads(EXPECTED.read_text(encoding="utf-8"))


@pytest.mark.servers
def test_it_is_the_same_on_servers_with_two_workers(
    where: settings.Places, tmp_path: Path, elasticsearch_url: str, postgres_url: str
) -> None:
    library = read_library(where.config.parent / "claims")
    with fresh_stores(elasticsearch_url, postgres_url) as stores:
        done = play(where, library, tmp_path, lambda _: None, stores)
        done.desk.close()
    counts = {name: value for name, value in done.counts.items() if name != "seconds"}
    assert counts == json.loads(EXPECTED.read_text(encoding="utf-8"))
    assert list(tmp_path.iterdir()) == []


def test_every_served_post_was_kept_once_and_is_one_that_was_written(played: Played) -> None:
    posts = all_posts(played.desk)
    assert {post.id for post in posts} <= set(post_ids(load_script()))
    assert sum(outcomes["stored"] for outcomes in played.outcomes.values()) == len(posts)


def test_there_is_something_to_see_and_something_left_to_do(played: Played) -> None:
    assert int(played.counts["decisions"]) >= 8
    assert int(played.counts["responses"]) >= 3
    assert int(played.counts["cards_open"]) >= 20
    with played.desk.ledger.read() as db:
        assert decisions.waiting(db) == []
        troubled = [source.name for source in sources.every(db) if source.attention]
    assert len(troubled) == 1


def test_political_criticism_is_never_flagged(played: Played) -> None:
    written = post_ids(load_script())
    posts = all_posts(played.desk)
    said = played.desk.posts.assessments([post.id for post in posts])
    critical = [post.id for post in posts if written[post.id].kind == "policy_criticism"]
    assert len(critical) >= 10
    assert not any(said[post_id].flag for post_id in critical)


def test_every_score_stays_well_off_its_threshold(played: Played, where: settings.Places) -> None:
    model = ready_model(where, demo_settings(settings.Stores()))
    texts = sorted({post.text for post in all_posts(played.desk)})
    near = [text[:60] for text, margin in zip(texts, margins(model, texts), strict=True) if margin < MARGIN]
    assert near == []


def margins(model: HeadModel, texts: list[str]) -> list[float]:
    """How far each text is from being judged otherwise: by p_false, scope, and stance and lead where they decide."""
    vectors, tuned, _ = model._read(texts, None)
    heads = model._heads
    scores = heads.score(vectors, texts, tuned)
    said = logits_of(heads, features_of(vectors, texts, heads.idf))
    stances = (said if tuned is None else blend(said, tuned, float(heads.card["tower"]["share"]))).stance
    assert stances is not None
    shares = np.exp(stances - stances.max(axis=1, keepdims=True))
    ranked = np.sort(shares / shares.sum(axis=1, keepdims=True), axis=1)
    limits = model.thresholds
    by_false, by_scope = np.abs(scores.false - limits["p_false"]), np.abs(scores.scope - limits["scope"])
    by_stance = np.minimum(ranked[:, -1] - ranked[:, -2], np.abs(scores.lead - limits["lead"]))
    return [
        float(min(false, scope, stance if given >= limits["p_false"] else 1.0))
        for false, scope, stance, given in zip(by_false, by_scope, by_stance, scores.false, strict=True)
    ]
