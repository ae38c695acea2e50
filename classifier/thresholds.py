"""Share of the tower, thresholds and figures of a fine-tuned model, from rows that it has not learnt."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from claimwatch.records import Stance
from claimwatch.tuning import wilson
from classifier.calibration import calibrated
from classifier.evaluate import ap, draws, evaluate, flag_shares
from classifier.heads import STANCES, Floats, Logits, blend, joint, lead_of
from classifier.model_card import brief
from classifier.rows import Row
from classifier.train import calibration_card

#: Of the posts out of scope at most this share may be flagged, if a scope threshold up to the second number does it.
_STRAY, _STRICTEST = 0.01, 0.9
#: Of the refutations at most this share should be flagged, if one of these leads does it that gives up at most the
#: second share of the repeats that were flagged without.
_DENIALS, _GIVEN_UP = 0.03, 0.25
_LEADS = tuple(np.arange(0.0, 3.01, 0.1))
#: How much of the mean of tower and linear heads may be the tower's.
_SHARES = (0.0, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 1.0)


def tuned_card(rows: Sequence[Row], linear: Logits, tower: Floats) -> tuple[dict[str, Any], NDArray[np.bool_]]:
    """Share of the tower, calibration, thresholds and figures, all from held-out rows that neither side has learnt.

    Then which of these rows the model flags. `linear` and `tower` [rows, outputs] are what either side says of them.
    """
    known = np.array([row.positive is not None for row in rows])
    labelled = [row for row in rows if row.positive is not None]
    truth = np.array([bool(row.positive) for row in labelled])
    by_share = {share: blend(linear, tower, share) for share in _SHARES}
    given = {share: joint(said.false, said.scope)[0][known] for share, said in by_share.items()}
    best = least_share(truth, given, draws(labelled, 0))
    said = by_share[best]
    raw, scope = joint(said.false, said.scope)
    card = calibration_card(labelled, raw[known])
    p_false = calibrated(card, raw, [row.text for row in rows])
    likely = p_false >= card["threshold"]
    card["scope_threshold"] = _scope_threshold(rows, likely, scope)
    likely &= scope >= card["scope_threshold"]
    lead = lead_of(said.stance, len(rows))
    card["lead"] = least_lead(rows, lead, likely)
    flagged = likely & (lead >= card["lead"])
    stances = [STANCES[one] for one in said.stance.argmax(axis=1)] if said.stance is not None else ()
    figures = evaluate(rows, p_false.tolist(), threshold=card["threshold"], stances=stances, by=["lang"])
    card["held_out"] = brief(figures, flag_shares(rows, flagged.tolist()))
    shares = {str(share): round(ap(truth, one) or 0.0, 4) for share, one in given.items()}
    card["tower"] = {"share": best, "held": len(rows), "ap_by_share": shares}
    return card, flagged


def least_share(truth: NDArray[np.bool_], given: Mapping[float, Floats], drawn: Sequence[NDArray[np.int64]]) -> float:
    """The smallest share whose average precision is not plainly behind the best one's, from its logits [rows].

    Plainly: by more than the standard error of the difference, over the resamplings `drawn` (the one-standard-error
    rule, Breiman et al. 1984). With few positives the best by itself is a matter of luck, and the linear heads err less
    far from home.
    """
    found = {share: ap(truth, one) or 0.0 for share, one in given.items()}
    best = max(found, key=lambda share: found[share])
    for share in sorted(given):
        behind = [(ap(truth[at], given[best][at]) or 0.0) - (ap(truth[at], given[share][at]) or 0.0) for at in drawn]
        if found[best] - found[share] <= np.std(behind):
            return share
    return best


def _scope_threshold(rows: Sequence[Row], likely: NDArray[np.bool_], scope: Floats) -> float:
    """The probability of being about health below which nothing is flagged: criticism of policy never should be.

    `likely` are the rows that would be flagged by falsity.
    """
    outside = np.array([row.in_scope is False for row in rows])
    steps = np.arange(0.5, _STRICTEST + 0.01, 0.05)
    good = [at for at in steps if (likely & (scope >= at))[outside].mean() <= _STRAY] if outside.any() else [0.5]
    return round(float(good[0] if good else _STRICTEST), 2)


def least_lead(rows: Sequence[Row], lead: Floats, likely: NDArray[np.bool_]) -> float:
    """By how much repeating must lead the other stances, so that hardly a refutation is flagged; 0 without these.

    A denial that is shown as a rumour costs a desk more trust than a rumour that waits for its next copy. `likely` are
    the rows that would be flagged by falsity and scope.
    """
    refutes = np.array([row.stance is Stance.REFUTES for row in rows])
    if not refutes.any() or np.isinf(lead).any():
        return 0.0
    said = np.array([row.stance is Stance.REPEATS for row in rows]) & likely & (lead > 0)
    borne = [at for at in _LEADS if (lead[said] >= at).sum() >= (1 - _GIVEN_UP) * said.sum()]
    flagged = [_highest(((lead >= at) & likely)[refutes]) for at in borne]
    enough = max(_DENIALS, min(flagged))
    return round(float(next(at for at, share in zip(borne, flagged, strict=True) if share <= enough)), 2)


def _highest(flagged: NDArray[np.bool_]) -> float:
    """The upper end of the share's 95% interval (Wilson 1927): a share that looks small on few rows may be luck."""
    return wilson(float(flagged.sum()), float(len(flagged)))[1]
