"""What stands beside every model for people to read (Mitchell et al. 2019): data, training, figures, limits."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

#: In a model's folder, beside its weights.
FILE = "README.md"
#: The figures of `evaluate` that a card keeps, as a reader knows them.
_FIGURES = {
    "auc": "AUC",
    "ap": "average precision",
    "f1": "F1 at the threshold",
    "weighted_f1": "weighted F1 at the threshold",
    "stance_f1": "stance, macro-F1",
    "ece": "calibration error (ECE)",
}
#: Where a model was measured, by the card's key.
_MEASURED = {
    "held_out": "Rows of claims not learnt from; epoch, blend, calibration and thresholds were chosen on them",
    "frozen_set": "The corpus' frozen set, none of whose claims it ever learnt",
}
_LIMITS = """\
- It orders a queue for people. It must not answer, delete or punish by itself, and says nothing about who wrote a post.
- It tells whether a text **repeats a claim like those labelled false in its rows**, not whether a text is true.
- It reads Vietnamese and English, with and without diacritics. Of pictures, videos and links it sees nothing.
- Figures hold for posts like those that they were measured on. Thresholds were chosen on the shares of these rows: look
  at `claimwatch tune` once the team has decided some cards, and learn from the decisions.
- Denials that quote a rumour, satire and reports are the usual mistakes. Criticism of those in power is not a claim.
"""
_SYNTHETIC = """\
- Its posts are **synthetic**, written by a language model, and were read by no health professional (see
  `classifier/corpus/README.md`). Real posts are messier: figures on public sets are in `docs/benchmarks.md`, and lower.
"""


def brief(figures: Mapping[str, Any], flags: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Of what `evaluate` gives, and `flag_shares`, the part that a card keeps: whole, per language, flags by stance."""
    kept = _kept(figures) | {"lang": {name: _kept(one) for name, one in figures["by"]["lang"].items()}}
    return kept | {"flagged": dict(flags["stance"])} if flags else kept


def as_markdown(card: Mapping[str, Any]) -> str:
    """The card of `model.json` for people."""
    measured = [part for key, where in _MEASURED.items() if key in card for part in _figures(where, card[key])]
    limits = _LIMITS + (_SYNTHETIC if str(card.get("data", "")).startswith("corpus") else "")
    parts = [
        f"# {card.get('version', 'model')}\n",
        "Says of a post whether it likely repeats a false health claim, and which. Made by `claimwatch train`; the",
        "numbers that it is served by are in `model.json` beside this.\n",
        "## Data\n",
        *_data(card),
        "\n## Training\n",
        *_training(card),
        "\n## Figures\n",
        *(measured or ["None were measured when it was made: `claimwatch evaluate` does.\n"]),
        "## Limits\n",
        limits,
    ]
    return "\n".join(parts)


def _kept(figures: Mapping[str, Any]) -> dict[str, Any]:
    names = ("n", "positives", "threshold", *_FIGURES, "recall_at")
    return {name: figures[name] for name in names if figures.get(name) is not None}


def _data(card: Mapping[str, Any]) -> Iterator[str]:
    frozen = {"left out": "The corpus' frozen set was left out.", "learnt": "The corpus' frozen set was learnt, too."}
    yield f"{card['rows']:,} rows ({card.get('data', 'unnamed')}), {card['positives']:,} of them positive."
    if str(card.get("frozen")) in frozen and str(card.get("data")).startswith("corpus"):
        yield frozen[str(card["frozen"])]
    for title, counts in (("language", card.get("languages")), ("stance", card.get("stances"))):
        if counts:
            yield f"By {title}: " + ", ".join(f"{name} {count:,}" for name, count in counts.items()) + "."


def _training(card: Mapping[str, Any]) -> Iterator[str]:
    tower, recipe = card.get("tower"), card.get("recipe")
    if recipe:
        yield (
            f"Fine-tuned by LoRA: rank {recipe['rank']}, learning rate {recipe['rate']:g}, batches of "
            f"{recipe['batch']}; the best of {len(tower['epochs']) if tower else 0} epochs by average precision."
        )
    yield f"Encoder `{card.get('encoder')}`, seed {card.get('seed')}."
    if tower:
        yield f"The tuned layers have {tower['share']:.0%} of the say, linear heads on vector and words the rest."
    if "tower_of" in card:
        yield f"The tuned layers, their share, calibration and thresholds are those of `{card['tower_of']}`."
    languages = ", ".join(f"{name} ({one['kind']})" for name, one in card.get("calibrations", {}).items())
    if languages:
        yield f"Calibrated apart for {languages}."
    yield (
        f"It flags from a probability of {card.get('threshold')} where that of being about health is at least "
        f"{card.get('scope_threshold')}."
    )


def _figures(where: str, found: Mapping[str, Any]) -> Iterator[str]:
    columns = {"all": found, **found.get("lang", {})}
    yield f"{where}. Brackets: 95% by bootstrap over claims.\n"
    yield "| | " + " | ".join(columns) + " |\n| --- |" + " ---: |" * len(columns)
    yield "| rows, positives | " + " | ".join(f"{one['n']:,}, {one['positives']:,}" for one in columns.values()) + " |"
    for name, title in _FIGURES.items():
        if name in found:
            yield f"| {title} | " + " | ".join(_shown(one.get(name)) for one in columns.values()) + " |"
    for load in found.get("recall_at", {}):
        shown = [_shown(one.get("recall_at", {}).get(load)) for one in columns.values()]
        yield f"| recall among the highest {float(load):.0%} | " + " | ".join(shown) + " |"
    yield ""
    flagged = found.get("flagged", {})
    if flagged:
        shares = (f"{name} {_shown(one['share'])} of {one['n']:,}" for name, one in flagged.items())
        yield "Flagged, by stance: " + "; ".join(shares) + ".\n"


def _shown(figure: Sequence[float] | None) -> str:
    return "{:.3f} ({:.3f} to {:.3f})".format(*figure) if figure else ""
