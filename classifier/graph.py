"""The base encoder as an ONNX graph: ids in, one unit vector per text out."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from .base_file import Floats, Shape

#: Raise it when the graph or the tokenizer's file changes: what was built before is then built anew.
GRAPH_VERSION = 1

_OPSET = 20  # the first with Gelu; ONNX Runtime 1.22 knows it
_IR_VERSION = 10
#: Larger weights go into a file beside the graph, which ONNX Runtime maps instead of reading.
_INLINE_BYTES = 1 << 16
_PAGE = 4096  # mapped offsets must be whole pages


def write_graph(weights: Mapping[str, Floats], shape: Shape, folder: Path) -> Path:
    """Write `model.onnx` and `weights.bin` into a folder. `weights` are named as in BertModel."""
    import onnx

    file = folder / "model.onnx"
    with (folder / "weights.bin").open("wb") as store:
        file.write_bytes(_Builder(weights, shape, store).model().SerializeToString())
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

    def model(self) -> Any:
        """The whole graph, its large weights already in the store."""
        from onnx import TensorProto

        self._build()
        h = self._helper
        inputs = [
            h.make_tensor_value_info(name, TensorProto.INT64, ["batch", "tokens"])
            for name in ("input_ids", "attention_mask")
        ]
        output = h.make_tensor_value_info("embedding", TensorProto.FLOAT, ["batch", self._shape.hidden])
        graph = h.make_graph(self._nodes, "encoder", inputs, [output], self._initializers)
        model = h.make_model(
            graph, opset_imports=[h.make_opsetid("", _OPSET)], ir_version=_IR_VERSION, producer_name="claimwatch"
        )
        # Tells the quantiser that there is nothing left to fold or to infer.
        h.set_model_props(model, {"onnx.quant.pre_process": "onnxruntime.quant"})
        return model

    def _build(self) -> None:
        mask = self._node("Cast", "attention_mask", to=1)
        mask_rows = self._node("Unsqueeze", mask, self._ints(2))
        bias = self._hidden_tokens(mask)
        hidden = self._embedded()
        for layer in range(self._shape.layers):
            hidden = self._layer(hidden, bias, f"encoder.layer.{layer}")
        self._pool(hidden, mask_rows)

    def _hidden_tokens(self, mask: str) -> str:
        """[batch, 1, 1, tokens]: 0 for a token, far below every score for padding."""
        padding = self._node("Sub", self._floats(1.0), mask)
        return self._node("Unsqueeze", self._node("Mul", padding, self._floats(-1e9)), self._ints(1, 2))

    def _embedded(self) -> str:
        words = self._weight("embeddings.word_embeddings.weight")
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

    def _pool(self, hidden: str, mask_rows: str) -> None:
        """The mean over each text's own tokens, at length 1."""
        axis = self._ints(1)
        total = self._node("ReduceSum", self._node("Mul", hidden, mask_rows), axis, keepdims=0)
        mean = self._node("Div", total, self._node("ReduceSum", mask_rows, axis, keepdims=0))
        length = self._node("ReduceL2", mean, axis, keepdims=1)
        self._node("Div", mean, self._node("Max", length, self._floats(1e-6)), output="embedding")

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
