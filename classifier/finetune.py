"""Fine-tunes the encoder's upper layers, or all, for all outputs at once: LoRA by peft on BERT of transformers."""

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from peft import LoraConfig, inject_adapter_in_model
from torch.nn import functional
from transformers import BertConfig
from transformers.models.bert.modeling_bert import BertEncoder

from claimwatch.errors import ConfigError
from classifier.adapter import CHECKPOINT, Adapter
from classifier.base_file import Floats, Shape
from classifier.encoder import Halves
from classifier.evaluate import ap, auc
from classifier.graph import EMBEDDED, FORKED, fork_of, layer_of
from classifier.heads import STANCES, joint
from classifier.measure import multiplies_bfloat16
from classifier.rows import Row

#: Outputs of a tower: falsity within the scope, scope, then one for each stance.
OUTPUTS = 2 + len(STANCES)
_LAYERS = ("query", "key", "value", "dense")
_WARM_UP = 0.06  #: of all steps
_CLIP = 1.0
#: Padded tokens of a step, at most. With twice as many, tuning all twelve layers took 13 GB.
_STEP_TOKENS = 6144


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How to tune. The defaults come from a few runs on the project's corpus, not from a search."""

    rank: int = 16
    rate: float = 7e-4  #: the highest learning rate; linear warm-up and decay
    epochs: int = 6
    patience: int = 2  #: epochs without a better held-out AP before it stops
    batch: int = 32
    dropout: float = 0.1
    #: How much it costs that a text's outputs lie apart from its other wording's: R-Drop (Liang et al. 2021) with a
    #: wording in place of a dropout. It doubles the work; 0 leaves it out.
    consistency: float = 1.0
    reworded: float = 0.5  #: where `consistency` is 0, how often a text is learnt in its other wording
    longest: int = 192  #: tokens of a text that are learnt from
    layers: int = 3  #: so many, from the start; the others are left out of the tower
    whole: bool = False  #: start at the encoder's first layer and share none; else at the fork

    @classmethod
    def of_all_layers(cls) -> "Recipe":
        """For thousands of real posts, where accuracy counts more than the work of a post (decision 12)."""
        return cls(rank=32, rate=1e-3, epochs=8, batch=64, consistency=0.0, reworded=0.2, layers=1000, whole=True)

    def start(self, layers: int) -> int:
        """The lowest layer to tune, of so many."""
        return 0 if self.whole else fork_of(layers)

    @property
    def fed(self) -> str:
        """What of the encoder the tower is given, as `Encoder.fork` names it."""
        return EMBEDDED if self.whole else FORKED


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """Rows with what the tower is given of them, and which are learnt from."""

    rows: Sequence[Row]
    states: Sequence[Halves]  #: [tokens, hidden] for each row
    twins: Sequence[Halves]  #: the same of another wording
    held: NDArray[np.int64]  #: numbers of the rows that choose the epoch; none of their claims is learnt


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuned:
    """The best epoch: what it changed, and what it says of the held-out rows [held, OUTPUTS]."""

    adapter: Adapter
    outputs: Floats
    metrics: Sequence[dict[str, float]]  #: of each epoch


class Tuner:
    """One run, the same for the same seed on one machine; it goes on where it was stopped.

    Its checkpoint stays until the whole model is saved: what comes after the last epoch may be stopped, too.
    """

    def __init__(
        self, lesson: Lesson, weights: dict[str, Floats], shape: Shape, *, recipe: Recipe, seed: int, folder: Path
    ) -> None:
        torch.manual_seed(seed)
        torch.use_deterministic_algorithms(mode=True, warn_only=True)
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._halved = self._device.type == "cuda" or multiplies_bfloat16()
        self._lesson, self._recipe, self._seed, self._folder = lesson, recipe, seed, folder
        self._start = recipe.start(shape.layers)
        self._net = _net(weights, shape, recipe, halved=self._halved).to(self._device)
        self._tuned = [one for one in self._net.parameters() if one.requires_grad]
        self._optimiser = torch.optim.AdamW(self._tuned, lr=recipe.rate, weight_decay=0.01)
        self._learnt = np.setdiff1d(np.arange(len(lesson.rows)), lesson.held)
        self._targets = _Targets(lesson.rows, self._learnt, self._device)
        self._metrics: list[dict[str, float]] = []
        self._best: dict[str, Any] = {"ap": -1.0, "epoch": -1}
        self._of = self._fingerprint()

    def run(self, progress: Callable[[int], None] = lambda _: None) -> Tuned:
        """Tune until the held-out rows gain nothing more.

        `progress` hears of rows learnt from; of those of a run that is gone on with, at once.
        """
        self._resume()
        if self._metrics:
            progress(len(self._metrics) * len(self._learnt))
        for epoch in range(len(self._metrics), self._recipe.epochs):
            if epoch - self._best["epoch"] > self._recipe.patience:
                break
            started = time.monotonic()
            loss = self._learn(epoch, progress)
            self._judge(epoch, loss, time.monotonic() - started)
            self._keep()
        self._net.load_state_dict(self._best["state"], strict=False)
        self._net.eval()
        return Tuned(adapter=self._adapter(), outputs=self._best["outputs"], metrics=self._metrics)

    def said(self, rows: NDArray[np.int64]) -> Floats:
        """What the tower says of these rows of the lesson [rows, OUTPUTS]; after `run`, in its best epoch."""
        found = np.zeros((len(rows), OUTPUTS), np.float32)
        with torch.no_grad():
            for places in np.array_split(np.argsort(self._lengths()[rows]), max(1, len(rows) // self._recipe.batch)):
                found[places] = self._outputs([self._lesson.states[row] for row in rows[places]]).cpu().numpy()
        return found

    def _learn(self, epoch: int, progress: Callable[[int], None]) -> float:
        """One epoch; the mean loss."""
        torch.manual_seed(self._seed * 1000 + epoch)
        chance = np.random.default_rng([self._seed, epoch])
        batches = list(_batches(self._learnt, self._lengths(), self._recipe.batch, chance))
        self._net.train()
        total = 0.0
        for number, rows in enumerate(batches):
            self._set_rate((epoch + number / len(batches)) / self._recipe.epochs)
            loss = self._loss(rows, chance)
            self._optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self._tuned, _CLIP)
            self._optimiser.step()
            total += float(loss.detach())
            progress(len(rows))
        return total / len(batches)

    def _loss(self, rows: NDArray[np.int64], chance: np.random.Generator) -> Any:
        if not self._recipe.consistency:
            return self._targets.loss(self._outputs([self._worded(row, chance) for row in rows]), rows)
        said, again = (self._outputs([side[row] for row in rows]) for side in (self._lesson.states, self._lesson.twins))
        apart = ((said - again) ** 2).mean()
        alone = (self._targets.loss(said, rows) + self._targets.loss(again, rows)) / 2
        return alone + self._recipe.consistency * apart

    def _worded(self, row: int, chance: np.random.Generator) -> Halves:
        """The row in its other wording, as often as the recipe says, else as it stands."""
        return (self._lesson.twins if chance.random() < self._recipe.reworded else self._lesson.states)[row]

    def _outputs(self, states: Sequence[Halves]) -> Any:
        values, mask = (one.to(self._device) for one in _padded(states))
        # Added to the scores: attention written out takes no mask of truths, it would add them as ones.
        hidden = torch.zeros_like(mask, dtype=torch.float32).masked_fill(~mask, -1e9)
        with torch.autocast(self._device.type, torch.bfloat16, enabled=self._halved and self._net.training):
            last = self._net["layers"](values, hidden[:, None, None, :]).last_hidden_state.float()
        mean = (last * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
        return self._net["out"](functional.dropout(mean, self._recipe.dropout, self._net.training))

    def _judge(self, epoch: int, loss: float, seconds: float) -> None:
        """Measure the epoch on the held-out rows; remember it if none was better."""
        held = self._lesson.held
        self._net.eval()
        said = self.said(held)
        known = [place for place, row in enumerate(held) if self._lesson.rows[row].positive is not None]
        truth = np.array([bool(self._lesson.rows[held[place]].positive) for place in known])
        given = joint(said[known, 0], said[known, 1] if self._targets.has_scope else None)[0]
        found = {"auc": auc(truth, given) or 0.0, "ap": ap(truth, given) or 0.0}
        figures = {"loss": loss, "seconds": seconds} | found
        self._metrics.append({"epoch": epoch} | {name: round(value, 4) for name, value in figures.items()})
        if found["ap"] > self._best["ap"]:
            state = {name: one.detach().clone() for name, one in self._net.named_parameters() if one.requires_grad}
            self._best = {"ap": found["ap"], "epoch": epoch, "state": state, "outputs": said}

    def _set_rate(self, done: float) -> None:
        share = min(done / _WARM_UP, (1 - done) / (1 - _WARM_UP))
        for group in self._optimiser.param_groups:
            group["lr"] = self._recipe.rate * max(share, 1e-3)

    def _lengths(self) -> NDArray[np.int64]:
        return np.array([len(one) for one in self._lesson.states])

    def _adapter(self) -> Adapter:
        """The low-rank pairs under the names of the encoder's own layers, their scale in `up`."""
        pairs = {}
        for name, layer in self._net["layers"].named_modules():
            if hasattr(layer, "lora_A"):
                number, _, rest = name.removeprefix("layer.").partition(".")
                down, up = (_numpy(part["default"].weight) for part in (layer.lora_A, layer.lora_B))
                pairs[f"encoder.layer.{int(number) + self._start}.{rest}"] = (down, up * layer.scaling["default"])
        out = self._net["out"]
        return Adapter(pairs=pairs, out=(_numpy(out.weight), _numpy(out.bias)))

    def _fingerprint(self) -> str:
        """Names what is learnt from and how: a run stopped halfway is gone on with only where this is the same."""
        about = [asdict(self._recipe), self._seed, self._lesson.held.tolist()]
        said = [(row.text, row.positive, row.in_scope, row.stance, row.weight) for row in self._lesson.rows]
        return hashlib.sha256(repr((about, said)).encode()).hexdigest()

    def _keep(self) -> None:
        kept = {"of": self._of, "metrics": self._metrics, "best": self._best}
        kept |= {"net": self._net.state_dict(), "optimiser": self._optimiser.state_dict()}
        self._folder.mkdir(parents=True, exist_ok=True)
        draft = self._folder / f"{CHECKPOINT}.part"
        torch.save(kept, draft)
        draft.replace(self._folder / CHECKPOINT)
        lines = "".join(json.dumps(one) + "\n" for one in self._metrics)
        (self._folder / "metrics.jsonl").write_text(lines, encoding="utf-8")

    def _resume(self) -> None:
        file = self._folder / CHECKPOINT
        if not file.exists():
            return
        kept = torch.load(file, map_location=self._device, weights_only=False)
        if kept["of"] != self._of:
            raise ConfigError(f"{file}: is of another training: delete it, or name another folder with --out")
        self._metrics, self._best = kept["metrics"], kept["best"]
        self._net.load_state_dict(kept["net"])
        self._optimiser.load_state_dict(kept["optimiser"])


class _Targets:
    """The labels of all rows, and the loss against them; an unknown label costs nothing."""

    def __init__(self, rows: Sequence[Row], learnt: NDArray[np.int64], device: Any) -> None:
        false = [np.nan if row.positive is None or row.in_scope is False else float(row.positive) for row in rows]
        scope = [np.nan if row.in_scope is None else float(row.in_scope) for row in rows]
        stance = [STANCES.index(row.stance) if row.stance else -1 for row in rows]
        self.has_scope = len({row.in_scope for row in rows} - {None}) > 1
        self._false = torch.tensor(false, device=device)
        self._scope = torch.tensor(scope, device=device)
        self._stance = torch.tensor(stance, device=device)
        self._weight = torch.tensor([row.weight for row in rows], dtype=torch.float32, device=device)
        self._false_weight = _balance(np.array(false)[learnt])
        self._scope_weight = _balance(np.array(scope)[learnt])
        self._stance_weights = _balances(np.array(stance)[learnt]).to(device)

    def loss(self, said: Any, rows: NDArray[np.int64]) -> Any:
        """The sum of the three; falsity is learnt within the scope, scope apart."""
        weight = self._weight[rows]
        whole = _binary(said[:, 0], self._false[rows], self._false_weight, weight)
        if self.has_scope:
            whole = whole + 0.5 * _binary(said[:, 1], self._scope[rows], self._scope_weight, weight)
        told = self._stance[rows] >= 0
        if told.any():
            missed = functional.cross_entropy(
                said[told, 2:], self._stance[rows][told], self._stance_weights, reduction="none"
            )
            whole = whole + 0.5 * (missed * weight[told]).mean()
        return whole


def _net(weights: dict[str, Floats], shape: Shape, recipe: Recipe, *, halved: bool) -> Any:
    """The layers to tune with adapters in every linear layer, and the layer of outputs.

    Dropout inside the layers costs a processor a quarter of its time (inside the attention two thirds): it is left to
    the last layer. Attention written out is faster than torch's own in bfloat16, slower in float32.
    """
    start = recipe.start(shape.layers)
    count = min(recipe.layers, shape.layers - start)
    kept = {
        _renumbered(name, start): torch.tensor(one) for name, one in weights.items() if layer_of(name) < start + count
    }
    layers = BertEncoder(
        BertConfig(
            hidden_size=shape.hidden,
            num_hidden_layers=count,
            num_attention_heads=shape.heads,
            intermediate_size=shape.feed_forward,
            layer_norm_eps=shape.epsilon,
            hidden_dropout_prob=0.0,
            attention_probs_dropout_prob=0.0,
            attn_implementation="eager" if halved else "sdpa",
        )
    )
    layers.load_state_dict(kept)
    chosen = LoraConfig(r=recipe.rank, lora_alpha=2 * recipe.rank, target_modules=list(_LAYERS))
    return torch.nn.ModuleDict(
        {"layers": inject_adapter_in_model(chosen, layers), "out": torch.nn.Linear(shape.hidden, OUTPUTS)}
    )


def _renumbered(name: str, start: int) -> str:
    return name.replace(f"encoder.layer.{layer_of(name)}.", f"layer.{layer_of(name) - start}.")


def _balance(labels: Floats) -> float:
    """How much a positive weighs: the root of how many negatives there are to one, so that the rare count more."""
    positives = float(np.nansum(labels))
    negatives = float(np.nansum(1 - labels))
    return float(np.sqrt(max(negatives, 1.0) / max(positives, 1.0)))


def _balances(stances: NDArray[np.int64]) -> Any:
    """How much each stance weighs: the root of how many times rarer it is than the mean one; 1 for one never met."""
    counts = np.bincount(stances[stances >= 0], minlength=len(STANCES)).astype(np.float64)
    mean = counts[counts > 0].mean() if counts.any() else 1.0
    return torch.tensor(np.where(counts > 0, np.sqrt(mean / np.maximum(counts, 1.0)), 1.0), dtype=torch.float32)


def _binary(said: Any, label: Any, balance: float, weight: Any) -> Any:
    known = ~torch.isnan(label)
    if not known.any():
        return said.sum() * 0.0
    heavier = torch.tensor(balance, device=said.device)
    return functional.binary_cross_entropy_with_logits(
        said[known], label[known].float(), weight=weight[known], pos_weight=heavier
    )


def _padded(states: Sequence[Halves]) -> tuple[Any, Any]:
    longest = max(map(len, states))
    values = np.zeros((len(states), longest, states[0].shape[1]), np.float32)
    mask = np.zeros((len(states), longest), bool)
    for row, one in enumerate(states):
        values[row, : len(one)], mask[row, : len(one)] = one, True
    return torch.from_numpy(values), torch.from_numpy(mask)


def _batches(
    rows: NDArray[np.int64], lengths: NDArray[np.int64], size: int, chance: np.random.Generator
) -> Iterator[NDArray[np.int64]]:
    """Every row once, in batches of like length that come in no order; of long texts fewer than `size`."""
    mixed = chance.permutation(rows)
    parts = [mixed[start : start + size * 20] for start in range(0, len(mixed), size * 20)]
    sorted_parts = [part[np.argsort(lengths[part], kind="stable")] for part in parts]
    batches = [batch for part in sorted_parts for batch in _cut(part, lengths[part], size)]
    return (batches[place] for place in chance.permutation(len(batches)))


def _cut(rows: NDArray[np.int64], lengths: NDArray[np.int64], size: int) -> Iterator[NDArray[np.int64]]:
    """Rows with their lengths, which rise, in batches of at most `size` and of _STEP_TOKENS once padded."""
    start = 0
    for end in range(1, len(rows) + 1):
        if end == len(rows) or end - start == size or (end + 1 - start) * lengths[end] > _STEP_TOKENS:
            yield rows[start:end]
            start = end


def _numpy(values: Any) -> Floats:
    return np.asarray(values.detach().cpu().numpy(), np.float32)
