"""The encoder as ONNX graphs: the base, and a tower of fine-tuned layers that leaves it halfway or at its start."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from .base_file import Floats, Shape

#: Raise it when the graph or the tokenizer's file changes: what was built before is then built anew.
GRAPH_VERSION = 4

_OPSET = 20  # the first with Gelu; ONNX Runtime 1.22 knows it
_IR_VERSION = 10
#: Larger weights go into a file beside the graph, which ONNX Runtime maps instead of reading.
_INLINE_BYTES = 1 << 16
_PAGE = 4096  # mapped offsets must be whole pages
_WORDS = "embeddings.word_embeddings.weight"
#: The weights of a tower's first output.
_FIRST = "out.first"
_FLOAT, _INT64 = 1, 7  # of onnx.TensorProto
#: The base's outputs that a tower may be fed: the states before its first layer, and those after the shared layers.
EMBEDDED, FORKED = "embedded", "forked"


def fork_of(layers: int) -> int:
    """How many layers base and tower share: the lower half. Tuning the rest is half the work, serving half again."""
    return layers // 2


def layer_of(name: str) -> int:
    """The number of the encoder's layer that a weight named as in BertModel belongs to."""
    return int(name.removeprefix("encoder.layer.").partition(".")[0])


def write_graph(weights: Mapping[str, Floats], shape: Shape, folder: Path) -> Path:
    """Write `model.onnx` and `weights.bin` into a folder: ids in, a unit vector per text and what towers are fed out.

    `weights` are named as in BertModel.
    """
    with (folder / "weights.bin").open("wb") as store:
        return _checked(_Builder(weights, shape, store).base(), folder)


def write_tower(weights: Mapping[str, Floats], shape: Shape, folder: Path) -> Path:
    """Write `model.onnx` and `weights.bin`: states [batch, tokens, hidden] in, `outputs` [batch, outputs] out.

    And `by_token` [batch, tokens]: the first output without its bias is the mean of these over a text's tokens.
    `weights` are layers from the first or from the fork upwards, named as in BertModel, and a last linear layer `out`.
    The input is named after the base's output that it must be given.
    """
    with (folder / "weights.bin").open("wb") as store:
        return _checked(_Builder(weights, shape, store).tower(), folder)


def quantise(model: Path, folder: Path) -> None:
    """Write a graph again into another folder, its weights in bytes; inputs are scaled at run time.

    The last product of each shared layer stays as it is: a few of its inputs are so large that a scale for all of them
    rounds the others away, and the layers above pay for it (decision 16).
    """
    from onnxruntime.quantization import QuantType, quantize_dynamic

    # One scale per output: with one per matrix the mean cosine to float32 was .987, so it is .9956.
    quantize_dynamic(
        model,
        folder / "model.onnx",
        op_types_to_quantize=["MatMul", "Gather"],
        weight_type=QuantType.QInt8,
        per_channel=True,
        nodes_to_exclude=_kept_in_full(model),
    )


def _kept_in_full(model: Path) -> list[str]:
    import onnx

    graph = onnx.load(str(model), load_external_data=False).graph
    layers = {layer_of(one.name) for one in graph.initializer if one.name.startswith("encoder.layer.")}
    kept = {f"encoder.layer.{number}.output.dense.weight" for number in range(fork_of(len(layers)))} | {_FIRST}
    return [node.name for node in graph.node if kept & set(node.input)]


def read_layers(folder: Path, shape: Shape, start: int) -> dict[str, Floats]:
    """The weights of the layers from `start` of a graph that `write_graph` left in a folder, named as in BertModel."""
    import onnx
    from onnx.external_data_helper import load_external_data_for_tensor

    upper = tuple(f"encoder.layer.{number}." for number in range(start, shape.layers))
    found = {}
    for tensor in onnx.load(str(folder / "model.onnx"), load_external_data=False).graph.initializer:
        if tensor.name.startswith(upper):
            if tensor.data_location == onnx.TensorProto.EXTERNAL:
                load_external_data_for_tensor(tensor, str(folder))
            values = onnx.numpy_helper.to_array(tensor)
            found[tensor.name] = np.ascontiguousarray(values.T if values.ndim == 2 else values)
    return found


def open_words(folder: Path) -> Floats:
    """The first layer of such a graph [vocabulary, hidden], a vector a token, mapped and not read."""
    import onnx

    for tensor in onnx.load(str(folder / "model.onnx"), load_external_data=False).graph.initializer:
        if tensor.name == _WORDS:
            place = {entry.key: entry.value for entry in tensor.external_data}
            if not place:
                return np.asarray(onnx.numpy_helper.to_array(tensor), np.float32)
            size = tuple(tensor.dims)
            return np.memmap(folder / place["location"], "<f4", "r", int(place["offset"]), size)
    raise KeyError(_WORDS)


def _checked(model: Any, folder: Path) -> Path:
    import onnx

    file = folder / "model.onnx"
    file.write_bytes(model.SerializeToString())
    onnx.checker.check_model(str(file))
    return file


class _Builder:
    """Adds nodes one after another; each method returns the name of its output."""

    def __init__(self, weights: Mapping[str, Floats], shape: Shape, store: BinaryIO) -> None:
        from onnx import helper

        self._helper = helper
        self._weights = weights
        self._shape = shape
        self._store = store
        self._nodes: list[Any] = []
        self._initializers: list[Any] = []

    def base(self) -> Any:
        """Ids to `embedding` and to what towers are fed; large weights are already in the store."""
        hidden = self._node("Identity", self._embedded(), output=EMBEDDED)
        bias, mask_rows = self._masks()
        fork = fork_of(self._shape.layers)
        hidden = self._layers(hidden, bias, range(fork))
        forked = self._node("Identity", hidden, output=FORKED)
        hidden = self._layers(forked, bias, range(fork, self._shape.layers))
        mean = self._mean(hidden, mask_rows)
        length = self._node("ReduceL2", mean, self._ints(1), keepdims=1)
        self._node("Div", mean, self._node("Max", length, self._floats(1e-6)), output="embedding")
        tokens = ["batch", "tokens"]
        wide = self._shape.hidden
        return self._model(
            {"input_ids": (_INT64, tokens), "attention_mask": (_INT64, tokens)},
            {"embedding": ["batch", wide], EMBEDDED: [*tokens, wide], FORKED: [*tokens, wide]},
        )

    def tower(self) -> Any:
        """States of the base to `outputs`, and to what each token adds to the first of them."""
        bias, mask_rows = self._masks()
        layers = sorted({layer_of(name) for name in self._weights if name.startswith("encoder.layer.")})
        fed = FORKED if layers[0] else EMBEDDED
        hidden = self._layers(fed, bias, layers)
        said = self._linear(self._mean(hidden, mask_rows), "out")
        self._node("Identity", said, output="outputs")
        first = self._array(_FIRST, np.ascontiguousarray(self._weights["out.weight"][0]))
        self._node("MatMul", hidden, first, output="by_token")
        tokens = ["batch", "tokens"]
        return self._model(
            {fed: (_FLOAT, [*tokens, self._shape.hidden]), "attention_mask": (_INT64, tokens)},
            {"outputs": ["batch", len(self._weights["out.bias"])], "by_token": tokens},
        )

    def _model(self, inputs: Mapping[str, tuple[int, list[Any]]], outputs: Mapping[str, list[Any]]) -> Any:
        h = self._helper
        taken = [h.make_tensor_value_info(name, kind, size) for name, (kind, size) in inputs.items()]
        given = [h.make_tensor_value_info(name, _FLOAT, size) for name, size in outputs.items()]
        graph = h.make_graph(self._nodes, "encoder", taken, given, self._initializers)
        model = h.make_model(
            graph, opset_imports=[h.make_opsetid("", _OPSET)], ir_version=_IR_VERSION, producer_name="claimwatch"
        )
        # Tells the quantiser that there is nothing left to fold or to infer.
        h.set_model_props(model, {"onnx.quant.pre_process": "onnxruntime.quant"})
        return model

    def _masks(self) -> tuple[str, str]:
        """What hides padding from attention, and [batch, tokens, 1] with 1 for each token."""
        mask = self._node("Cast", "attention_mask", to=_FLOAT)
        return self._hidden_tokens(mask), self._node("Unsqueeze", mask, self._ints(2))

    def _layers(self, hidden: str, bias: str, numbers: Iterable[int]) -> str:
        for number in numbers:
            hidden = self._layer(hidden, bias, f"encoder.layer.{number}")
        return hidden

    def _hidden_tokens(self, mask: str) -> str:
        """[batch, 1, 1, tokens]: 0 for a token, far below every score for padding."""
        padding = self._node("Sub", self._floats(1.0), mask)
        return self._node("Unsqueeze", self._node("Mul", padding, self._floats(-1e9)), self._ints(1, 2))

    def _embedded(self) -> str:
        words = self._weight(_WORDS)
        found = self._node("Gather", words, "input_ids", axis=0)
        # Every token has type 0 here, so its row is part of each position.
        positions = self._weights["embeddings.position_embeddings.weight"]
        types = self._weights["embeddings.token_type_embeddings.weight"]
        places = self._array("positions", positions + types[0])
        length = self._node("Shape", "input_ids", start=1, end=2)
        placed = self._node("Slice", places, self._ints(0), length, self._ints(0))
        return self._norm(self._node("Add", found, placed), "embeddings.LayerNorm")

    def _layer(self, hidden: str, bias: str, name: str) -> str:
        attended = self._linear(self._attention(hidden, bias, name), f"{name}.attention.output.dense")
        hidden = self._norm(self._node("Add", attended, hidden), f"{name}.attention.output.LayerNorm")
        wide = self._node("Gelu", self._linear(hidden, f"{name}.intermediate.dense"), approximate="none")
        narrow = self._linear(wide, f"{name}.output.dense")
        return self._norm(self._node("Add", narrow, hidden), f"{name}.output.LayerNorm")

    def _attention(self, hidden: str, bias: str, name: str) -> str:
        size = self._shape.hidden // self._shape.heads
        split = self._ints(0, 0, self._shape.heads, size)
        query, key, value = (
            self._node("Reshape", self._linear(hidden, f"{name}.attention.self.{part}"), split)
            for part in ("query", "key", "value")
        )
        query = self._node("Mul", self._node("Transpose", query, perm=[0, 2, 1, 3]), self._floats(size**-0.5))
        scores = self._node("MatMul", query, self._node("Transpose", key, perm=[0, 2, 3, 1]))
        shares = self._node("Softmax", self._node("Add", scores, bias), axis=-1)
        mixed = self._node("MatMul", shares, self._node("Transpose", value, perm=[0, 2, 1, 3]))
        joined = self._node("Transpose", mixed, perm=[0, 2, 1, 3])
        return self._node("Reshape", joined, self._ints(0, 0, self._shape.hidden))

    def _mean(self, hidden: str, mask_rows: str) -> str:
        """The mean over each text's own tokens."""
        axis = self._ints(1)
        total = self._node("ReduceSum", self._node("Mul", hidden, mask_rows), axis, keepdims=0)
        return self._node("Div", total, self._node("ReduceSum", mask_rows, axis, keepdims=0))

    def _linear(self, value: str, name: str) -> str:
        matrix = self._array(f"{name}.weight", np.ascontiguousarray(self._weights[f"{name}.weight"].T))
        return self._node("Add", self._node("MatMul", value, matrix), self._weight(f"{name}.bias"))

    def _norm(self, value: str, name: str) -> str:
        scale, shift = self._weight(f"{name}.weight"), self._weight(f"{name}.bias")
        return self._node("LayerNormalization", value, scale, shift, axis=-1, epsilon=self._shape.epsilon)

    def _weight(self, name: str) -> str:
        return self._array(name, self._weights[name])

    def _ints(self, *values: int) -> str:
        return self._array(f"ints_{'_'.join(map(str, values))}", np.array(values, np.int64))

    def _floats(self, value: float) -> str:
        return self._array(f"float_{value}", np.array(value, np.float32))

    def _array(self, name: str, values: Any) -> str:
        """One initializer, inline or in the store; the same name twice is the same one."""
        if any(known.name == name for known in self._initializers):
            return name
        from onnx import numpy_helper

        if values.nbytes < _INLINE_BYTES:
            self._initializers.append(numpy_helper.from_array(values, name))
        else:
            self._initializers.append(self._stored(name, values))
        return name

    def _stored(self, name: str, values: Floats) -> Any:
        from onnx import TensorProto

        self._store.write(b"\0" * (-self._store.tell() % _PAGE))
        tensor = TensorProto(
            name=name, dims=values.shape, data_type=TensorProto.FLOAT, data_location=TensorProto.EXTERNAL
        )
        for key, value in self._place(values):
            tensor.external_data.add(key=key, value=value)
        values.astype("<f4", copy=False).tofile(self._store)
        return tensor

    def _place(self, values: Floats) -> Iterator[tuple[str, str]]:
        yield "location", "weights.bin"
        yield "offset", str(self._store.tell())
        yield "length", str(values.nbytes)

    def _node(self, kind: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        output = output or f"{kind}_{len(self._nodes)}"
        self._nodes.append(self._helper.make_node(kind, list(inputs), [output], name=output, **attributes))
        return output
