"""Opening an Elasticsearch cluster: where it is, whether it can be worked with, how it feels."""

import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from elasticsearch import Elasticsearch

from claimwatch.errors import ConfigError, StoreError
from claimwatch.posts.elastic_client import Doc, Elastic, told
from claimwatch.posts.elastic_mapping import PROPERTIES, VERSION, template

#: The major version of servers that the client and our requests are for.
MAJOR = 9
#: Seconds that our indices may be red before we believe it.
_RED = 15
_PREFIX = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")


def connect(address: str, *, key: str, password: str, ca: Path | None) -> Elastic:
    """The cluster at an address of `Stores.posts`, looked at once and given our templates."""
    scheme, _, rest = address.removeprefix("elasticsearch+").partition("://")
    places, _, prefix = rest.partition("/")
    user, _, hosts = places.rpartition("@")
    prefix = prefix.strip("/") or "claimwatch"
    if not _PREFIX.fullmatch(prefix):
        raise ConfigError(f"`stores.posts`: {prefix!r} cannot begin names of indices: use small letters, digits, . _ -")
    if ca and not ca.is_file():
        raise ConfigError(f"`stores.ca`: there is no file {ca}")
    given: dict[str, Any] = {"ca_certs": str(ca)} if ca else {}
    if key:
        given["api_key"] = key
    elif user or password:
        given["basic_auth"] = (user or "elastic", password)
    elastic = Elastic(_client([_url(scheme, host) for host in hosts.split(",")], given), prefix)
    try:
        look(elastic)
    except BaseException:
        elastic.close()
        raise
    return elastic


def look(elastic: Elastic) -> None:
    """Refuse a cluster that would fail later: another version, red, or indices of another shape."""
    refuse_other_versions(versions(elastic))
    refuse_red(health(elastic))
    for part in PROPERTIES:
        refuse_other_mappings(_mappings(elastic, part), part)
    with told():
        for part in PROPERTIES:
            name = elastic.name(part.removesuffix("-*"))
            elastic.client.indices.put_index_template(name=name, **template(elastic.prefix, part))


def versions(elastic: Elastic) -> list[str]:
    """The versions of the cluster's nodes. `GET /` is not asked: a minimal server has none."""
    with told():
        nodes = elastic.client.nodes.info(filter_path="nodes.*.version")["nodes"]
    return sorted({node["version"] for node in nodes.values()})


def health(elastic: Elastic) -> Doc:
    """The health of our indices. One that is being made, or whose node was just lost, is red for a moment."""
    with told():
        client = elastic.client.options(ignore_status=408)  # what it answers when the wait was in vain
        return dict(client.cluster.health(index=elastic.name("*"), wait_for_status="yellow", timeout=f"{_RED}s"))


def refuse_other_versions(found: Collection[str]) -> None:
    """ConfigError where a node is of another major version."""
    for version in found:
        if int(version.split(".")[0]) != MAJOR:
            raise ConfigError(f"Elasticsearch {version} is not {MAJOR}.x: run nodes of version {MAJOR}")


def refuse_red(told_health: Mapping[str, Any]) -> None:
    """StoreError where some data is at no node: what we would read is not all there is."""
    if told_health["status"] == "red":
        raise StoreError("Elasticsearch is red, some shards have no copy: see GET _cluster/allocation/explain")


def refuse_other_mappings(found: Mapping[str, Doc], part: str) -> None:
    """ConfigError naming the first of these indices that another version or somebody else made."""
    wanted = {name: one["type"] for name, one in PROPERTIES[part].items()}
    for index, one in sorted(found.items()):
        mapping = one["mappings"]
        version = mapping.get("_meta", {}).get("claimwatch")
        fields = {name: field.get("type", "object") for name, field in mapping.get("properties", {}).items()}
        wrong = sorted(name for name in wanted.keys() | fields.keys() if wanted.get(name) != fields.get(name))
        if version != VERSION or wrong:
            what = f"field `{wrong[0]}`" if wrong else f"mapping {version}"
            raise ConfigError(
                f"index {index}: {what} is not what this claimwatch (mapping {VERSION}) wrote: "
                "use a new prefix and `claimwatch posts copy`"
            )


def _mappings(elastic: Elastic, part: str) -> dict[str, Doc]:
    with told():
        found = elastic.client.indices.get_mapping(
            index=elastic.name(part), allow_no_indices=True, ignore_unavailable=True
        )
    return dict(found)


def _client(urls: list[str], given: Mapping[str, Any]) -> Elasticsearch:
    try:
        return Elasticsearch(
            urls, request_timeout=30, max_retries=5, retry_on_timeout=True, retry_on_status=(502, 503, 504), **given
        )
    except (ValueError, OSError) as error:
        raise ConfigError(f"`stores.posts` cannot be used: {str(error).splitlines()[0]}") from error


def _url(scheme: str, host: str) -> str:
    """An address with its port."""
    return f"{scheme}://{host}" if re.search(r":\d+$", host) else f"{scheme}://{host}:9200"
