"""From labelled rows to a served model, on the tiny real encoder: heads, matching, limits, training, serving."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from claimwatch.desk import Desk
from claimwatch.errors import ConfigError
from claimwatch.ledger import claims
from claimwatch.records import Claim, Stance
from claimwatch.settings import Classify
from claimwatch.text.copies import bands
from claimwatch.text.fold import slot_of, text_hash
from classifier.encoder import Encoder
from classifier.evaluate import draws
from classifier.heads import Heads, idf_of, lead_of, load_heads, save_heads
from classifier.limits import UNMEASURED, choose_limits
from classifier.match import ClaimIndex, Limits, pack, unpack
from classifier.model import Nearest, Opinion
from classifier.rematch import match_new_claims
from classifier.rows import MAPS, Row, corpus, read_rows
from classifier.serving import HeadModel, _matches, open_model
from classifier.thresholds import least_lead, least_share
from classifier.train import folds
from classifier.training import Training, save_model, train_model
from factories import make_post
from jobs.assess import assess_new_posts
from tiny_model import tiny_encoder_folder

SAYS = ("garlic cures covid", "raw garlic kills the virus", "eat garlic and you never get sick", "garlic is a cure")
DENIES = ("fake: garlic cures nothing", "garlic does not kill the virus", "no, garlic is no cure", "false: garlic")
ELSE = ("the bus was late again", "rain all week in the city", "our team won the match", "new phone, nice camera")
CLAIMS = [
    Claim(id="garlic-cure", statement={"en": "Garlic cures COVID"}, phrasings={"en": SAYS}),
    Claim(id="five-g", statement={"en": "5G masts spread the virus"}, phrasings={"en": ("5g towers spread covid",)}),
]


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    return Encoder.open(tiny_encoder_folder(tmp_path_factory.mktemp("encoder")), threads=1)


def rows() -> list[Row]:
    """Three kinds of text, each said in many ways, a cluster each so that folds can be made."""
    kinds = (
        (SAYS, True, True, Stance.REPEATS),
        (DENIES, False, True, Stance.REFUTES),
        (ELSE, False, False, Stance.OTHER),
    )
    return [
        Row(
            id=f"{number}-{turn}",
            text=f"{text} {('today', 'friends', 'please share', 'i heard', 'they say')[turn]}",
            positive=positive,
            in_scope=scope,
            stance=stance,
            lang="en",
            cluster=f"{number}-{turn}",
        )
        for texts, positive, scope, stance in kinds
        for number, text in enumerate(texts)
        for turn in range(5)
    ]


@pytest.fixture(scope="module")
def heads(encoder: Encoder) -> Heads:
    return train_model(encoder, Training(rows=rows(), claims=CLAIMS, seed=1, version="tiny"))


@pytest.fixture
def model(encoder: Encoder, heads: Heads) -> HeadModel:
    made = HeadModel(encoder, heads, Classify(suggest=0.5, confirm=0.95))
    made.learn_claims(CLAIMS)
    return made


class TestTraining:
    def test_a_trained_model_tells_a_claim_from_its_refutation_and_from_other_talk(self, model: HeadModel) -> None:
        says, denies, other = model.judge(["garlic cures covid today", "fake: garlic cures nothing", "rain all week"])
        assert (says.flag, says.stance, says.on_topic) == (True, Stance.REPEATS, True)
        assert (denies.flag, denies.stance) == (False, Stance.REFUTES)
        assert (other.flag, other.on_topic) == (False, False)
        assert says.p_false > denies.p_false > other.p_false or says.p_false > other.p_false

    def test_the_same_seed_trains_the_same_model(self, encoder: Encoder, heads: Heads) -> None:
        again = train_model(encoder, Training(rows=rows(), claims=CLAIMS, seed=1, version="tiny"))
        assert again.card == heads.card
        assert np.array_equal(again.false.weights, heads.false.weights)

    def test_rows_of_one_cluster_are_never_split(self) -> None:
        split = rows() + rows()
        for held in folds(split, seed=3):
            inside = {split[number].cluster for number in held}
            outside = {row.cluster for number, row in enumerate(split) if number not in set(held.tolist())}
            assert not inside & outside

    def test_rows_without_stances_or_scopes_leave_those_heads_out(self, encoder: Encoder) -> None:
        bare = [Row(id=row.id, text=row.text, positive=row.positive, cluster=row.cluster) for row in rows()]
        made = train_model(encoder, Training(rows=bare, claims=[], seed=1, version="bare"))
        assert (made.stance, made.scope) == (None, None)
        served = HeadModel(encoder, made, Classify())
        (said,) = served.judge(["garlic cures covid today"])
        assert (said.stance, said.on_topic, said.flag) == (None, True, True)

    def test_rows_that_are_named_choose_the_thresholds_and_are_not_learnt(self, encoder: Encoder) -> None:
        valid = [replace(row, cluster=f"valid {row.cluster}") for row in rows()[::3]]
        wanted = Training(rows=rows(), claims=CLAIMS, seed=1, version="tiny", valid=valid)
        made = train_model(encoder, wanted)
        told = sum(row.positive is not None for row in valid)
        assert (made.card["rows"], made.card["held_out"]["n"]) == (len(rows()), told)
        turned = [replace(row, positive=not row.positive) for row in valid]
        other = train_model(encoder, replace(wanted, valid=turned))
        assert np.array_equal(made.false.weights, other.false.weights)
        assert made.card["calibration"] != other.card["calibration"]
        with pytest.raises(ConfigError, match="positives and negatives"):
            train_model(encoder, replace(wanted, valid=[row for row in valid if row.positive]))

    def test_a_saved_model_has_a_card_for_people(self, heads: Heads, tmp_path: Path) -> None:
        save_model(heads, tmp_path / "m")
        told = (tmp_path / "m" / "README.md").read_text(encoding="utf-8")
        auc = heads.card["held_out"]["auc"]
        assert told.startswith("# tiny\n")
        assert f"| AUC | {auc[0]:.3f} ({auc[1]:.3f} to {auc[2]:.3f}) |" in told

    @pytest.mark.parametrize("positive", [True, False, None])
    def test_rows_of_one_label_cannot_be_learnt_from(self, encoder: Encoder, positive: bool | None) -> None:
        same = [Row(id=row.id, text=row.text, positive=positive, cluster=row.cluster) for row in rows()]
        with pytest.raises(ConfigError, match="positive true and rows with positive false"):
            train_model(encoder, Training(rows=same, claims=[], seed=1, version="x"))


class TestServing:
    def test_a_saved_model_is_the_model_again(self, encoder: Encoder, heads: Heads, tmp_path: Path) -> None:
        save_heads(heads, tmp_path / "m")
        loaded = load_heads(tmp_path / "m")
        assert loaded.card == heads.card
        before, after = (HeadModel(encoder, one, Classify()) for one in (heads, loaded))
        assert before.version == after.version
        texts = [row.text for row in rows()]
        pairs = zip(before.judge(texts), after.judge(texts), strict=True)
        assert max(abs(left.p_false - right.p_false) for left, right in pairs) < 0.01

    def test_another_threshold_is_another_version(self, encoder: Encoder, heads: Heads) -> None:
        versions = {HeadModel(encoder, heads, Classify(threshold=at)).version for at in (None, 0.3, 0.7)}
        assert len(versions) == 3

    def test_a_score_does_not_depend_on_batch_mates(self, model: HeadModel) -> None:
        texts = [row.text for row in rows()] + ["a much longer text " * 40]
        together = model.judge(texts)
        alone = [model.judge([text])[0] for text in texts]
        assert max(abs(a.p_false - b.p_false) for a, b in zip(together, alone, strict=True)) < 1e-3

    def test_every_text_gets_an_opinion_the_empty_one_too(self, model: HeadModel) -> None:
        said = model.judge(["", "🙏", "a" * 5000])
        assert len(said) == 3
        assert all(0 <= one.p_false <= 1 and one.vector for one in said)
        assert model.judge([]) == []

    def test_a_missing_or_damaged_model_is_one_line(self, tmp_path: Path) -> None:
        for folder in (tmp_path / "none", tmp_path):
            with pytest.raises(ConfigError, match="no usable model"):
                open_model(tmp_path, Classify(), folder=folder)
        (tmp_path / "heads.safetensors").write_bytes(b"nonsense")
        (tmp_path / "model.json").write_text("{}", encoding="utf-8")
        with pytest.raises(ConfigError, match="no usable model"):
            load_heads(tmp_path)


class TestMatch:
    def test_the_nearest_claim_is_named_with_the_phrasing_that_decided(self, model: HeadModel) -> None:
        (said,) = model.judge(["raw garlic kills the virus"])
        assert (said.nearest[0].claim, said.nearest[0].confirmed) == ("garlic-cure", True)
        assert said.why.split("\n")[0] == SAYS[1]
        assert said.similarity == pytest.approx(1.0, abs=1e-3)

    def test_a_text_of_few_words_never_confirms(self, model: HeadModel) -> None:
        (said,) = model.judge(["garlic kills the virus"])
        assert said.nearest[0].claim == "garlic-cure"
        assert not said.nearest[0].confirmed

    def test_a_denial_is_near_the_claim_but_confirms_nothing(self) -> None:
        said = _matches(
            [Nearest(claim="garlic-cure", version=1, similarity=0.99, confirmed=True, phrasing="")],
            Limits(suggest=0.5, confirm=0.95),
            "raw garlic does not kill the virus",
            Stance.REFUTES,
        )
        assert [one.confirmed for one in said] == [False]

    def test_below_the_limit_nothing_is_suggested_but_the_similarity_is_told(
        self, encoder: Encoder, heads: Heads
    ) -> None:
        strict = HeadModel(encoder, heads, Classify(suggest=0.999, confirm=1.0))
        strict.learn_claims(CLAIMS)
        (said,) = strict.judge(["our team won the match"])
        assert said.nearest == ()
        assert 0 < said.similarity < 0.999

    def test_without_claims_nothing_matches(self, encoder: Encoder, heads: Heads) -> None:
        (said,) = HeadModel(encoder, heads, Classify()).judge(["garlic"])
        assert (said.nearest, said.similarity) == ((), 0.0)

    def test_a_kept_vector_finds_a_new_claim_without_its_text(self, model: HeadModel) -> None:
        vectors = [one.vector or b"" for one in model.judge(["5g towers spread covid", "raw garlic kills the virus"])]
        mast, garlic = model.match_vectors(vectors, ["five-g"])
        assert mast[0].claim == "five-g"
        assert all(near.claim == "five-g" for near in garlic)

    def test_a_new_claim_finds_the_posts_before_it_and_their_cards(self, desk: Desk, model: HeadModel) -> None:
        with desk.ledger.write() as db:
            claims.seed(db, CLAIMS[1:], desk.now())
        text = "raw garlic kills the virus"
        post = make_post(text=text, text_hash=text_hash(text), slot=slot_of(text_hash(text)), bands=bands(text))
        desk.posts.add([post], token="t")
        assert assess_new_posts(desk, model)["flagged"] == 1
        assert {one.claim for one in desk.posts.matches([post.id]).get(post.id, [])} <= {"five-g"}
        with desk.ledger.write() as db:
            claims.add(db, CLAIMS[0], desk.now())
        assert match_new_claims(desk, model) == 1
        assert match_new_claims(desk, model) == 0
        assess_new_posts(desk, model)
        assert desk.posts.matches([post.id])[post.id][0].claim == "garlic-cure"
        (card,) = desk.posts.cards()
        assert card.claim == "garlic-cure"

    def test_packing_a_vector_hardly_turns_it(self, encoder: Encoder) -> None:
        vectors = encoder.encode([row.text for row in rows()])
        packed = pack(vectors)
        assert {len(one) for one in packed} == {encoder.dimensions}
        assert float((unpack(packed) * vectors).sum(axis=1).min()) > 0.999

    def test_limits_keep_false_suggestions_rare(self, encoder: Encoder) -> None:
        named = [Row(id=str(n), text=f"{SAYS[n % 4]} {n}", positive=True, claim="garlic-cure") for n in range(60)]
        other = [Row(id=str(n), text=f"{ELSE[n % 4]} {n}", positive=False) for n in range(60)]
        vectors = encoder.encode([row.text for row in named + other])
        matching, figures = choose_limits(named + other, vectors, CLAIMS, encoder.encode)
        limits = matching[""].limits
        near = ClaimIndex(CLAIMS, encoder.encode).nearest(vectors[60:], [Limits(suggest=0, confirm=1)] * 60)
        assert np.mean([one[0].similarity >= limits.suggest for one in near]) <= 0.3
        assert limits.suggest <= limits.confirm
        assert (matching[""].repeats, matching[""].recall_at_1) == (60, 1.0)
        assert 0 < figures["suggest_by_vector"] < 1
        alone, figures = choose_limits(named, vectors[:60], CLAIMS, encoder.encode)
        assert (alone[""].limits, set(figures)) == (UNMEASURED, {"recall_new_claims"})

    def test_rows_that_name_no_claim_are_no_hindrance(self, encoder: Encoder) -> None:
        """As in every public set: its rows are labelled and name none of our claims."""
        unnamed = [replace(row, claim=None) for row in rows()]
        texts = [row.text for row in unnamed]
        many = [
            Claim(id=f"claim-{n}", statement={"en": f"thing {n} cures covid"}, phrasings={"en": (f"{n} is a cure",)})
            for n in range(60)
        ]
        matching, _ = choose_limits(unnamed, encoder.encode(texts), many, encoder.encode, idf_of(texts))
        assert matching[""].limits == UNMEASURED

    def test_each_language_has_limits_of_its_own(self, encoder: Encoder, heads: Heads) -> None:
        card = {**heads.card, "suggest": 0.5, "confirm": 0.9, "matching": {"vi": {"suggest": 2.0, "confirm": 2.0}}}
        served = HeadModel(encoder, replace(heads, card=card), Classify())
        served.learn_claims(CLAIMS)
        english, vietnamese = served.judge([SAYS[0], "Ăn tỏi sống mỗi ngày thì chữa khỏi covid đó mọi người ơi"])
        assert english.nearest
        assert (vietnamese.nearest, vietnamese.similarity > 0) == ((), True)
        assert served.thresholds["suggest.vi"] == 2.0
        chosen = HeadModel(encoder, replace(heads, card=card), Classify(suggest=0.1, confirm=0.9))
        chosen.learn_claims(CLAIMS)
        assert all(said.nearest for said in chosen.judge(["Ăn tỏi sống mỗi ngày thì chữa khỏi covid đó mọi người ơi"]))


class TestRows:
    def test_the_corpus_reads_as_rows_of_both_languages(self) -> None:
        read = corpus()
        assert len(read) >= 600
        assert {row.lang for row in read} == {"vi", "en"}
        assert all(row.positive is not None and row.stance is not None for row in read)

    @pytest.mark.parametrize(
        ("mapping", "raw", "positive", "in_scope"),
        [
            ("reintel", {"label": "unreliable", "topic_health_broad": True, "ts": 1.6e9}, True, True),
            ("reintel", {"label": "unreliable", "topic_health_broad": False, "ts": None}, False, False),
            ("reintel", {"label": "reliable", "topic_health_broad": True}, False, True),
            ("constraint", {"label": "fake"}, True, True),
            ("rumor", {"label": "U"}, None, True),
            ("check_covid", {"label": "SUPPORT"}, False, True),
            ("vicov", {"label": "question"}, False, True),
        ],
    )
    def test_public_sets_are_read_by_their_names(
        self, mapping: str, raw: dict[str, object], positive: bool | None, in_scope: bool, tmp_path: Path
    ) -> None:
        file = tmp_path / "rows.jsonl"
        file.write_text(
            json.dumps({"id": 1, "text": "một bài về sức khỏe", "lang": "vi", **raw}) + "\n", encoding="utf-8"
        )
        (row,) = read_rows([file], mapping)
        assert (row.positive, row.in_scope, mapping in MAPS) == (positive, in_scope, True)

    @pytest.mark.parametrize(
        ("line", "named"),
        [
            ("not json", "line 1: not JSON"),
            ("[]", "line 1: needs an object with `text`"),
            ('{"text": "a", "positive": "yes"}', "a label must be true, false or null"),
            ('{"text": "a", "stance": "shouts"}', "'shouts' is not a valid Stance"),
            ('{"text": "a", "weight": 0}', "a weight must be a number above 0, not 0"),
            ('{"text": "a", "weight": true}', "a weight must be a number above 0, not True"),
            ("", "no rows to learn from"),
        ],
    )
    def test_a_bad_row_is_named_by_its_line(self, line: str, named: str, tmp_path: Path) -> None:
        file = tmp_path / "rows.jsonl"
        file.write_text(line + "\n", encoding="utf-8")
        with pytest.raises(ConfigError, match=named):
            read_rows([file])


class TestClusters:
    def test_near_copies_without_a_claim_are_one_cluster(self, tmp_path: Path) -> None:
        story = "Hôm nay bệnh viện thành phố báo tin có thêm mười ca bệnh mới, ai cũng nên đeo khẩu trang khi ra ngoài"
        texts = [story, f"{story} nha", "một bài khác hẳn về bóng đá tối nay", "lại một bài khác nữa về nấu ăn"]
        file = tmp_path / "rows.jsonl"
        file.write_text("".join(json.dumps({"text": text, "positive": True}) + "\n" for text in texts), "utf-8")
        first, copy, *others = [row.cluster for row in read_rows([file])]
        assert first == copy
        assert len({first, *others}) == 3

    def test_a_named_claim_or_cluster_is_left_as_it_is(self, tmp_path: Path) -> None:
        file = tmp_path / "rows.jsonl"
        lines = [{"text": "same words here", "claim": "a"}, {"text": "same words here", "cluster": "b"}]
        file.write_text("".join(json.dumps(one) + "\n" for one in lines), "utf-8")
        assert [row.cluster for row in read_rows([file])] == ["a", "b"]


class TestLead:
    def test_the_least_lead_that_keeps_denials_from_being_flagged_is_asked_for(self) -> None:
        denials = [Row(id=str(n), text="không phải đâu", positive=False, stance=Stance.REFUTES) for n in range(3000)]
        leads = np.linspace(-4.0, 1.0, 3000, dtype=np.float32)
        likely = np.ones(3000, bool)
        least = least_lead(denials, leads, likely)
        assert 0.01 < (leads >= least).mean() <= 0.03 < (leads >= least - 0.1).mean()
        assert least_lead(denials, leads, ~likely) == 0.0
        assert least_lead(denials, lead_of(None, 3000), likely) == 0.0
        repeats = [replace(row, stance=Stance.REPEATS) for row in denials]
        borne = least_lead([*denials, *repeats], np.concatenate([leads, leads]), np.ones(6000, bool))
        flagged = (leads > 0).sum()
        assert (leads >= borne).sum() >= 0.75 * flagged > (leads >= borne + 0.1).sum()
        assert least_lead([replace(row, stance=Stance.ASKS) for row in denials], leads, likely) == 0.0
        assert least_lead(denials, leads + 99, likely) == 0.0  # no lead helps, so no repeat is given up

    def test_of_few_denials_none_may_be_flagged(self) -> None:
        """One flagged of forty is under the limit and may be luck."""
        denials = [Row(id=str(n), text="không phải đâu", positive=False, stance=Stance.REFUTES) for n in range(40)]
        leads = np.full(40, -1.0, np.float32)
        leads[0] = 0.5
        assert least_lead(denials, leads, np.ones(40, bool)) == pytest.approx(0.6)

    def test_repeating_leads_by_its_distance_to_the_best_of_the_rest(self) -> None:
        stances = np.array([[1.0, 0.2, 0.4, 0.0, 0.0], [0.0, 0.2, 0.4, 0.0, 3.0]], np.float32)
        assert np.allclose(lead_of(stances, 2), [0.6, -3.0])
        assert np.isinf(lead_of(None, 2)).all()

    def test_what_leads_by_less_is_told_as_a_repeat_and_not_flagged(self, encoder: Encoder, heads: Heads) -> None:
        texts = [row.text for row in rows()]

        def said_of(lead: float) -> list[Opinion]:
            card = {**heads.card, "lead": lead, "threshold": 0.0, "scope_threshold": 0.0}
            said = HeadModel(encoder, replace(heads, card=card), Classify()).judge(texts)
            assert [one.stance for one in said].count(Stance.REPEATS) > 0
            return said

        leads = heads.score(encoder.encode(texts), texts).lead
        middle = float(np.median(leads[leads > 0]))
        easy, hard, never = (said_of(lead) for lead in (0.0, middle, 1e3))
        assert sum(one.flag for one in easy) > sum(one.flag for one in hard) > 0
        assert not any(one.flag or one.hinges for one in never)  # no threshold would flag them
        assert [one.hinges for one in hard] == [one.flag for one in hard]
        assert [one.hinges for one in easy] == [one.stance is Stance.REPEATS for one in easy]

    def test_a_model_that_tells_no_stance_confirms_no_claim(self, encoder: Encoder, heads: Heads) -> None:
        model = HeadModel(encoder, replace(heads, stance=None), Classify())
        model.learn_claims(CLAIMS)
        (said,) = model.judge([SAYS[1]])
        assert (said.stance, said.nearest[0].claim, said.nearest[0].confirmed) == (None, "garlic-cure", False)


class TestShare:
    def test_a_tower_has_no_say_where_few_rows_make_it_look_better(self) -> None:
        """Ten positives; the tower is ahead by one lucky pair."""
        truth = np.arange(40) < 10
        linear = np.where(truth, 2.0, 0.0).astype(np.float32)
        linear[[9, 39]] = [0.5, 1.0]
        tower = linear.copy()
        tower[[9, 39]] = [1.0, 0.5]
        made = [Row(id=str(n), text="a", positive=bool(one), cluster=str(n)) for n, one in enumerate(truth)]
        assert least_share(truth, {0.0: linear, 1.0: tower}, draws(made, 0)) == 0.0

    def test_a_tower_that_is_plainly_better_has_its_say(self) -> None:
        truth = np.arange(400) < 100
        chance = np.random.default_rng(0)
        linear = (truth + chance.normal(0, 2.0, 400)).astype(np.float32)
        tower = (truth + chance.normal(0, 0.2, 400)).astype(np.float32)
        made = [Row(id=str(n), text="a", positive=bool(one), cluster=str(n)) for n, one in enumerate(truth)]
        assert (
            least_share(
                truth, {0.0: linear, 0.5: np.asarray((linear + tower) / 2, np.float32), 1.0: tower}, draws(made, 0)
            )
            == 1.0
        )
