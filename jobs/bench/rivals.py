"""The same base encoder as most people would run it: Hugging Face's pipeline, and torch with sorted batches."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from tokenizers import Regex, normalizers
from tokenizers import Tokenizer as Engine
from tokenizers.models import Unigram
from tokenizers.pre_tokenizers import Metaspace
from tokenizers.processors import TemplateProcessing
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    PreTrainedTokenizerFast,
    TextClassificationPipeline,
)

from classifier.base_file import BaseModel, load_base
from classifier.encoder import MAX_TOKENS, PREFIX, Encoder

_BATCH = 32
Reads = Callable[[Sequence[str]], object]


def open_rivals(encoder: Encoder, threads: int) -> tuple[Reads, Reads]:
    """What reads texts by Hugging Face's pipeline, in the order they come, and by torch, the longest first."""
    torch.set_num_threads(threads)
    base = load_base()
    assert encoder.shape == base.shape
    words = _tokenizer(base)
    net = _net(base)
    piped = TextClassificationPipeline(model=net, tokenizer=words, device="cpu", batch_size=_BATCH)

    def pipeline(texts: Sequence[str]) -> object:
        return piped([PREFIX + text for text in texts], truncation=True, max_length=MAX_TOKENS)

    def in_order(texts: Sequence[str]) -> object:
        ids = words([PREFIX + text for text in texts], truncation=True, max_length=MAX_TOKENS)["input_ids"]
        order = sorted(range(len(ids)), key=lambda row: -len(ids[row]))
        vectors = torch.empty(len(ids), base.shape.hidden)
        for start in range(0, len(order), _BATCH):
            rows = order[start : start + _BATCH]
            batch = words.pad({"input_ids": [ids[row] for row in rows]}, return_tensors="pt")
            mask = batch["attention_mask"]
            states = net.bert(input_ids=batch["input_ids"], attention_mask=mask).last_hidden_state
            mean = (states * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
            vectors[rows] = torch.nn.functional.normalize(mean)
        return vectors.numpy()

    return pipeline, torch.inference_mode()(in_order)


def _tokenizer(base: BaseModel) -> Any:
    known = base.vocabulary
    engine = Engine(Unigram(list(zip(known.pieces, known.scores, strict=True)), known.unk, False))
    engine.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(Regex(r"\s+"), " ")])
    engine.pre_tokenizer = Metaspace(replacement="▁", prepend_scheme="always")
    ends = [(known.pieces[known.bos], known.bos), (known.pieces[known.eos], known.eos)]
    engine.post_processor = TemplateProcessing(single=f"{ends[0][0]} $A {ends[1][0]}", special_tokens=ends)
    names = {"bos_token": ends[0][0], "eos_token": ends[1][0]}
    names |= {"pad_token": known.pieces[known.pad], "unk_token": known.pieces[known.unk]}
    return PreTrainedTokenizerFast(tokenizer_object=engine, model_input_names=["input_ids", "attention_mask"], **names)


def _net(base: BaseModel) -> Any:
    shape = base.shape
    config = BertConfig(
        vocab_size=shape.vocabulary,
        hidden_size=shape.hidden,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        intermediate_size=shape.feed_forward,
        max_position_embeddings=shape.positions,
        type_vocab_size=shape.types,
        layer_norm_eps=shape.epsilon,
        num_labels=2,
    )
    net = BertForSequenceClassification(config)
    weights = {f"bert.{name}": torch.from_numpy(values) for name, values in base.weights.items()}
    missing, unknown = net.load_state_dict(weights, strict=False)
    # Pooling and classifier are fresh: they cost what trained ones would.
    assert not unknown, unknown
    assert all(name.startswith(("bert.pooler.", "classifier.")) for name in missing), missing
    return net.eval()
