"""Vectors of texts, an index per encoder, kept as long as one post says the text; nearest ones by kNN."""

import base64
import re
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from claimwatch.posts.elastic_client import Doc, Elastic, Write, all_of

VECTORS = "vectors-*"
#: Elasticsearch looks at no more candidates of a shard.
_CANDIDATES = 10_000


def vector_indices(elastic: Elastic) -> list[str]:
    """The indices of vectors there are."""
    return elastic.indices(VECTORS)


def put_vectors(elastic: Elastic, vectors: Mapping[tuple[str, str], bytes]) -> None:
    """Keep vectors by (encoder, text_hash)."""
    elastic.put(
        [
            Write("index", elastic.name(_part(encoder)), text_hash, _doc(encoder, text_hash, vector))
            for (encoder, text_hash), vector in vectors.items()
        ]
    )


def vectors(elastic: Elastic, encoder: str, after: str, limit: int) -> list[tuple[str, bytes]]:
    """Kept vectors by text_hash, in its order."""
    body: dict[str, Any] = {"search_after": [after]} if after else {}
    found = elastic.hits(
        _part(encoder), query=all_of(), sort=[{"text_hash": "asc"}], size=limit, source=["text_hash", "bytes"], **body
    )
    return [(doc["text_hash"], base64.b64decode(doc["bytes"])) for doc in found]


def of_texts(elastic: Elastic, hashes: list[str]) -> dict[str, list[tuple[str, bytes]]]:
    """Vectors of texts by text_hash, each with its encoder, in the order of their names."""
    names = vector_indices(elastic)
    found: dict[str, list[tuple[str, bytes]]] = {}
    for hit in elastic.mget([(name, text_hash) for name in names for text_hash in dict.fromkeys(hashes)]):
        encoder = hit.doc["encoder"]
        found.setdefault(hit.id, []).append((encoder, base64.b64decode(hit.doc["bytes"])))
    return {text_hash: sorted(those) for text_hash, those in found.items()}


def near(elastic: Elastic, encoder: str, vector: bytes, similarity: float, limit: int) -> list[tuple[str, float]]:
    """Texts of at least this cosine, nearest first. Approximate: among many thousand a near one may be missed."""
    wanted = np.frombuffer(vector, dtype=np.int8)
    if not wanted.any():
        return []
    size = min(limit, _CANDIDATES)
    knn = {"field": "vector", "query_vector": wanted.tolist(), "k": size, "num_candidates": _CANDIDATES}
    found = elastic.search(
        _part(encoder), knn=knn | {"similarity": similarity}, size=size, source=["text_hash", "bytes"]
    )["hits"]["hits"]
    near = [(hit["_source"]["text_hash"], _cosine(wanted, _numbers(hit["_source"]["bytes"]))) for hit in found]
    return sorted((one for one in near if one[1] >= similarity), key=lambda one: (-one[1], one[0]))


def _part(encoder: str) -> str:
    """The part of the index name for an encoder, whatever signs its name has: two never share one."""
    plain = re.sub(r"[^a-z0-9._-]", "-", encoder.lower())
    return f"vectors-{plain if plain == encoder else f'{plain}-{zlib.crc32(encoder.encode()):08x}'}"


def _doc(encoder: str, text_hash: str, vector: bytes) -> Doc:
    numbers = np.frombuffer(vector, dtype=np.int8)
    doc: Doc = {"encoder": encoder, "text_hash": text_hash, "bytes": base64.b64encode(vector).decode()}
    return doc | ({"vector": numbers.tolist()} if numbers.any() else {})


def _numbers(encoded: str) -> NDArray[np.int8]:
    return np.frombuffer(base64.b64decode(encoded), dtype=np.int8)


def _cosine(a: NDArray[np.int8], b: NDArray[np.int8]) -> float:
    x, y = a.astype(np.float64), b.astype(np.float64)
    return float(x @ y / np.sqrt((x @ x) * (y @ y)))
