"""What the indices hold. Strict: a field that is not named here is refused, so nothing of an author slips in."""

from collections.abc import Mapping
from typing import Any

#: Raised whenever a field changes; an index made by another version is refused at start.
VERSION = 1

_WORD = {"type": "keyword"}
_NUMBER = {"type": "long"}
#: Kept and given back, never looked for.
_KEPT = {"type": "keyword", "index": False, "doc_values": False}
_ASIDE = {"type": "object", "enabled": False}

#: One document is everything of one post, so every write of it is one atomic step. Times are microseconds since 1970.
_POST: Mapping[str, Any] = {
    "id": _WORD,
    "number": _NUMBER,  # grows with every post met: descending is newest met first
    "source": _WORD,
    "platform": _WORD,
    "created_at": _NUMBER,
    "collected_at": _NUMBER,
    "first_seen": _NUMBER,
    "seen_at": _NUMBER,  # created_at, else collected_at: for the pace of a group
    "day": _WORD,
    "quarter": _WORD,  # of first_seen: author keys change with it
    "language": _WORD,
    "title": _KEPT,
    "text": _KEPT,
    "words": {"type": "text", "analyzer": "whitespace", "index_options": "freqs"},  # title and text, folded by us
    "text_hash": _WORD,
    "author_key": _WORD,
    "url": _KEPT,
    "sealed_url": _KEPT,
    "edited_at": {"type": "long", "index": False, "doc_values": False},
    "reply_to": _KEPT,
    "repost_of": _KEPT,
    "state": _WORD,
    "group": _WORD,
    "bands": _WORD,
    "slot": {"type": "short"},
    "expires_at": _NUMBER,
    "batch": _NUMBER,  # of the purge that will delete it
    # What follows from the rest, so that no count and no search needs a second look.
    "model": _WORD,  # the last to assess the present text
    "models": _WORD,  # all that have assessed the present text
    "flag": {"type": "boolean"},
    "claim": _WORD,
    "stance": _WORD,
    "status": _WORD,
    "engagement": _NUMBER,
    "writes": _ASIDE,  # source -> [token, outcome]
    "observations": _ASIDE,
    "assessments": _ASIDE,
    "matches": _ASIDE,
}

_CARD: Mapping[str, Any] = {
    "id": _WORD,
    "head": _WORD,
    "claim": _WORD,
    "claim_similarity": {"type": "double", "index": False},
    "posts": _NUMBER,
    "accounts": _NUMBER,
    "engagement": _NUMBER,
    "reach": {"type": "double", "index": False},
    "growth": {"type": "double", "index": False},
    "harm": {"type": "short"},
    "p_false": {"type": "double", "index": False},
    "priority": {"type": "double"},
    "language": _WORD,
    "model": _WORD,
    "state": _WORD,
    "number": _NUMBER,
    "opened_at": _NUMBER,
    "updated_at": _NUMBER,
    "scored_claim": _WORD,  # for when a decision is taken back
    "scored_similarity": {"type": "double", "index": False},
    "decided_stance": _WORD,
}

_VECTOR: Mapping[str, Any] = {
    "text_hash": _WORD,
    "encoder": _WORD,
    "bytes": {"type": "binary"},
    # As many dimensions as the first vector has; a vector of zeros has no direction and is left out.
    "vector": {"type": "dense_vector", "element_type": "byte", "index": True, "similarity": "cosine"},
}

#: Properties by the part of the index name behind the prefix; each has a template.
PROPERTIES: Mapping[str, Mapping[str, Any]] = {
    "posts-*": _POST,
    "cards": _CARD,
    "tombstones": {"id": _WORD, "at": _NUMBER},
    "vectors-*": _VECTOR,
    # The desk's first month; slices given to a purge batch whole, up to a number; how many items were refused for good.
    "facts": {"value": _WORD, "batch": _NUMBER, "number": _NUMBER, "count": _NUMBER},
}

_SETTINGS = {"number_of_shards": 1, "auto_expand_replicas": "0-1", "refresh_interval": "1s"}


def template(prefix: str, part: str) -> dict[str, Any]:
    """The index template of one part."""
    mappings = {"dynamic": "strict", "_meta": {"claimwatch": VERSION}, "properties": PROPERTIES[part]}
    return {
        "index_patterns": [f"{prefix}-{part}"],
        "priority": 500,
        "template": {"settings": {"index": _SETTINGS}, "mappings": mappings},
    }
