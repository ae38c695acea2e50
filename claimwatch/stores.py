"""Opens the two stores that the settings name."""

from collections.abc import Mapping
from pathlib import Path

from claimwatch.errors import ConfigError
from claimwatch.ledger.base import Ledger
from claimwatch.posts.base import Posts
from claimwatch.posts.sqlite import SqlitePosts


def open_posts(address: str, folder: Path, *, credentials: Mapping[str, str], ca: str = "") -> Posts:
    """The posts store at an address of `Stores.posts`; `folder` is where `sqlite` keeps its file.

    ConfigError where the extra is not installed or what is there cannot be used, StoreError where nobody answers.
    """
    if address == "sqlite":
        return SqlitePosts(folder / "posts.db")
    try:
        from claimwatch.posts.elastic import ElasticPosts
    except ModuleNotFoundError as error:
        raise ConfigError(f"Elasticsearch needs `{error.name}`: pip install 'claimwatch[elastic]'") from error
    return ElasticPosts.connect(
        address,
        key=credentials.get("CLAIMWATCH_ELASTICSEARCH_KEY", ""),
        password=credentials.get("CLAIMWATCH_ELASTICSEARCH_PASSWORD", ""),
        ca=Path(ca) if ca else None,
    )


def open_ledger(address: str, folder: Path, *, credentials: Mapping[str, str]) -> Ledger:
    """The ledger at an address of `Stores.ledger`, migrated; errors as `open_posts`."""
    if address == "sqlite":
        return Ledger.open(folder / "ledger.db")
    return Ledger.connect(address, password=credentials.get("CLAIMWATCH_POSTGRES_PASSWORD", ""))
