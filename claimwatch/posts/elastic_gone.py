"""What no post holds any more: vectors of texts, cards of groups.

It goes before the posts that held it, so that a kill in between leaves posts, which a repeat finds again.
"""

from collections.abc import Collection

from claimwatch.posts.elastic_cards import read
from claimwatch.posts.elastic_client import Doc, Elastic, Write, all_of, any_of, in_parts
from claimwatch.posts.elastic_slices import POSTS
from claimwatch.posts.elastic_vectors import vector_indices
from claimwatch.records import CardState


def drop_orphans(elastic: Elastic, hashes: Collection[str], *, leaving: Doc) -> None:
    """Drop the vectors of those of these texts that no post says but the leaving ones."""
    gone = _without_posts(elastic, "text_hash", hashes, leaving)
    names = vector_indices(elastic) if gone else []
    elastic.put([Write("delete", name, text_hash) for name in names for text_hash in gone])


def drop_emptied_cards(elastic: Elastic, groups: Collection[str], *, leaving: Doc, only_open: bool) -> None:
    """Remove the cards of those of these groups that have no posts but the leaving ones."""
    gone = read(elastic, _without_posts(elastic, "group", groups, leaving))
    elastic.put(
        [
            Write("delete", hit.index, hit.id, seen=hit)
            for hit in gone
            if not only_open or hit.doc["state"] == CardState.OPEN
        ]
    )


def _without_posts(elastic: Elastic, field: str, values: Collection[str], leaving: Doc) -> list[str]:
    """Those of the values that no other post has in this field."""
    wanted = sorted(set(values))
    if not wanted:
        return []
    elastic.refresh(POSTS)
    living = {
        bucket["key"][field]
        for part in in_parts(wanted)
        for bucket in elastic.composite(POSTS, all_of(any_of(field, part), without=[leaving]), [field])
    }
    return [value for value in wanted if value not in living]
