"""The configuration: one YAML file, changed by the environment, read once into one frozen object."""

import re
from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from claimwatch.errors import ConfigError

_PREFIX = "CLAIMWATCH_"
#: Secrets of sources, such as CLAIMWATCH_REDDIT_TOKEN.
_CREDENTIAL = re.compile(r"[A-Z0-9]+(_[A-Z0-9]+)*_(TOKEN|KEY|PASSWORD)(_FILE)?")
#: Variables that are not settings of the file: places and the desk's own secrets.
_RESERVED = {"CONFIG", "DATA", "CACHE", "ID_KEY", "SEAL_KEY", "SESSION_KEY", "ADMIN_PASSWORD"}
#: Variables that name servers for tests and the demo.
_TESTS = "TEST_"


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Desk(_Section):
    """Who runs this desk; sites that are crawled are told."""

    name: str = Field("a claimwatch desk", description="Shown on pages, in reports and in the user agent.")
    contact: str = Field("", description="A URL or mailbox that sites may write to; part of the user agent.")
    timezone: str = Field("Asia/Ho_Chi_Minh", description="Days and weeks are counted in this timezone.")
    language: Literal["vi", "en"] = Field("vi", description="The language of pages until a visitor chooses.")

    @field_validator("timezone")
    @classmethod
    def _known(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"unknown timezone {value!r}: use a name such as Asia/Ho_Chi_Minh") from error
        return value


class Stores(_Section):
    """Where posts and the ledger live."""

    posts: str = Field(
        "sqlite",
        description="`sqlite`: a file in the data folder; or `elasticsearch+https://user@host:9200,host2:9200/prefix`, "
        "`prefix` (default `claimwatch`) begins the names of its indices. Secret: CLAIMWATCH_ELASTICSEARCH_KEY (an API "
        "key) or CLAIMWATCH_ELASTICSEARCH_PASSWORD.",
    )
    ledger: str = Field(
        "sqlite",
        description="`sqlite`: a file in the data folder; or `postgresql://user@host:5432/database`. Secret: "
        "CLAIMWATCH_POSTGRES_PASSWORD.",
    )
    ca: str = Field(
        "", description="PEM file of the authority that signed Elasticsearch's certificate; empty: the system's own."
    )

    @field_validator("posts")
    @classmethod
    def _posts_served(cls, value: str) -> str:
        return _address(value, ("elasticsearch+https", "elasticsearch+http"), "elasticsearch+https://host:9200")

    @field_validator("ledger")
    @classmethod
    def _ledger_served(cls, value: str) -> str:
        return _address(value, ("postgresql",), "postgresql://user@host:5432/database")


class Web(_Section):
    """The review pages."""

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8642, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    secure_cookies: bool = Field(False, description="True behind TLS: cookies go over https only.")
    session_hours: int = Field(12, ge=1, le=720, description="A sign-in ends after so many hours.")
    metrics: str = Field(
        "loopback",
        description="Who may read `/metrics`: `off`, `loopback`, or networks such as `10.0.0.0/8 fd00::/8`. Never "
        "answered to what came through a proxy.",
    )

    @field_validator("metrics")
    @classmethod
    def _networks(cls, value: str) -> str:
        for network in () if value in {"off", "loopback"} else value.split():
            try:
                ip_network(network)
            except ValueError as error:
                raise ValueError(f"{network!r} is no network: use off, loopback or such as 10.0.0.0/8") from error
        return value


class Crawl(_Section):
    """How sources are asked."""

    policy: Literal["respectful", "none"] = Field(
        "respectful", description="`respectful` drops unlisted posts and accounts that opted out of being indexed."
    )
    delay: float = Field(1.0, ge=0, le=600, description="Seconds between two requests to one host, at least.")
    timeout: float = Field(30.0, gt=0, le=600, description="Seconds until an answer is given up.")
    max_body_mb: int = Field(16, ge=1, le=512, description="Answers larger than this are refused.")
    max_pages: int = Field(40, ge=1, le=10_000, description="Pages of one source in one crawl, at most.")
    max_age_days: int = Field(30, ge=1, le=3650, description="Crawls drop posts older than this.")


class Classify(_Section):
    """When a post is flagged and a claim suggested."""

    threshold: float | None = Field(
        None, ge=0, le=1, description="p_false from which a post is flagged; empty: the model's own."
    )
    suggest: float | None = Field(
        None, ge=0, le=1, description="Similarity from which a claim is suggested; empty: the model's own."
    )
    confirm: float | None = Field(
        None, ge=0, le=1, description="Similarity from which a match counts as confirmed; empty: the model's own."
    )
    gate: bool = Field(
        True,
        description="Posts whose words are plainly not about health are not read by the encoder (`stage: gate`). Off: "
        "every post is read.",
    )
    audit_per_day: int = Field(
        3,
        ge=0,
        le=1000,
        description="Texts about health that nobody flagged, drawn into the queue by lot each day, about so many: they "
        "tell what is missed (`claimwatch tune`). 0: none.",
    )
    batch: int = Field(256, ge=1, le=10_000, description="Posts assessed and written at once.")
    threads: int | None = Field(None, ge=1, le=256, description="Threads of the encoder; empty: one per core.")
    variant: Literal["auto", "float32", "int8"] = Field(
        "auto", description="The encoder's number format; auto: measured at set-up."
    )


class Keep(_Section):
    """How long things are kept."""

    unflagged: int = Field(30, ge=1, description="Days from collection that unflagged posts are kept.")
    flagged: int = Field(180, ge=1, description="Days from collection that flagged posts are kept.")
    rejected: int = Field(7, ge=1, description="Days that unreadable rows are kept.")
    decision_texts: int = Field(730, ge=1, description="Days that the text judged stays with its decision.")


class Schedule(_Section):
    """What the worker does by itself, in minutes; the report by day and hour of the desk's timezone."""

    classify: int = Field(5, ge=1, description="Minutes between passes that assess, group and queue new posts.")
    rescore: int = Field(15, ge=1, description="Minutes between re-scorings of open cards.")
    purge: int = Field(360, ge=1, description="Minutes between purges.")
    report_day: Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"] = Field(
        "mon", description="Day of the weekly report."
    )
    report_hour: int = Field(7, ge=0, le=23, description="Hour of the weekly report.")


class WorkerMetrics(_Section):
    """Where a worker answers Prometheus."""

    metrics_host: str = Field("127.0.0.1", description="Address that a worker's `/metrics` listens on.")
    metrics_port: int = Field(
        0, ge=0, le=65535, description="Its port; 0: none. Each worker of a machine needs a port of its own."
    )


class Logs(_Section):
    """What the processes tell on standard error."""

    format: Literal["text", "json"] = Field("text", description="`json`: one object a line, for a log collector.")


class Settings(_Section):
    """Everything an operator can set, with where it was read from."""

    desk: Desk = Desk()
    stores: Stores = Stores()
    web: Web = Web()
    crawl: Crawl = Crawl()
    classify: Classify = Classify()
    keep: Keep = Keep()
    schedule: Schedule = Schedule()
    worker: WorkerMetrics = WorkerMetrics()
    logs: Logs = Logs()

    @property
    def zone(self) -> ZoneInfo:
        """The desk's timezone."""
        return ZoneInfo(self.desk.timezone)


class Places(_Section):
    """The folders of one installation."""

    config: Path
    data: Path
    cache: Path
    keys: Path


def places(environment: Mapping[str, str], config: Path | None = None) -> Places:
    """Where this installation keeps things, by --config, CLAIMWATCH_* and the XDG folders."""
    home = Path(environment.get("HOME") or "~").expanduser()
    given = environment.get(f"{_PREFIX}CONFIG")
    file = config or (Path(given) if given else _default_config())
    data = environment.get(f"{_PREFIX}DATA")
    cache = environment.get(f"{_PREFIX}CACHE")
    return Places(
        config=file / "claimwatch.yml" if file.suffix not in {".yml", ".yaml"} else file,
        data=Path(data) if data else _xdg(environment, "XDG_DATA_HOME", home / ".local/share"),
        cache=Path(cache) if cache else _xdg(environment, "XDG_CACHE_HOME", home / ".cache"),
        keys=_xdg(environment, "XDG_CONFIG_HOME", home / ".config") / "keys",
    )


def load(file: Path, environment: Mapping[str, str]) -> Settings:
    """The settings of a file, changed by CLAIMWATCH_SECTION__KEY. Refuses the whole on any unknown or wrong key."""
    values = _read(file)
    for name, value in environment.items():
        if name.startswith(_PREFIX):
            _override(values, name, value)
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        raise ConfigError(f"{file}: {_explain(error)}") from error


def credentials(environment: Mapping[str, str]) -> dict[str, str]:
    """The sources' secrets, from CLAIMWATCH_..._TOKEN, _KEY or _PASSWORD or from the file that ..._FILE names."""
    found: dict[str, str] = {}
    for name, value in environment.items():
        if not name.startswith(_PREFIX) or not _CREDENTIAL.fullmatch(name.removeprefix(_PREFIX)) or not value:
            continue
        try:
            secret = Path(value).read_text(encoding="utf-8").strip() if name.endswith("_FILE") else value
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{name}: cannot read {value}: give the path of a readable file") from error
        found[name.removesuffix("_FILE")] = secret
    return found


def read_yaml(file: Path) -> Any:
    """The content of a YAML file; ConfigError with one line that names file and line."""
    try:
        return yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{file}: cannot be read ({error}): name another with --config or CLAIMWATCH_CONFIG"
        ) from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        raise ConfigError(f"{file}{where}: not valid YAML: {getattr(error, 'problem', error)}") from error


def _default_config() -> Path:
    """./config where there is one, else the configuration that claimwatch came with."""
    shipped = Path(__file__).with_name("config")
    places_of_it = (Path("config"), shipped, shipped.parent.parent / "config")
    return next((folder for folder in places_of_it if (folder / "claimwatch.yml").exists()), Path("config"))


def _read(file: Path) -> dict[str, Any]:
    values = read_yaml(file)
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise ConfigError(f"{file}: must hold sections such as `desk:`, not a {type(values).__name__}")
    return {str(key): dict(part) if isinstance(part, dict) else part for key, part in values.items()}


def _override(values: dict[str, Any], name: str, value: str) -> None:
    key = name.removeprefix(_PREFIX)
    if key.removesuffix("_FILE") in _RESERVED or _CREDENTIAL.fullmatch(key) or key.startswith(_TESTS):
        return
    section, _, field = key.lower().partition("__")
    part = values.setdefault(section, {})
    if section not in Settings.model_fields or not field or not isinstance(part, dict):
        raise ConfigError(f"{name}: no such setting; it is CLAIMWATCH_SECTION__KEY, such as CLAIMWATCH_WEB__PORT")
    part[field] = value or None


def _explain(error: ValidationError) -> str:
    first = error.errors()[0]
    path = [str(part) for part in first["loc"]]
    if first["type"] == "extra_forbidden":
        return f"unknown key `{'.'.join(path)}`; known here: {', '.join(_known(path[:-1]))}"
    return f"`{'.'.join(path)}`: {first['msg'].removeprefix('Value error, ')}"


def _known(path: list[str]) -> list[str]:
    model: type[BaseModel] = Settings
    for name in path:
        annotation = model.model_fields[name].annotation
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            model = annotation
    return sorted(model.model_fields)


def _address(value: str, schemes: tuple[str, ...], example: str) -> str:
    """A store's address as given, if it is one that can be opened and holds no secret."""
    scheme, _, rest = value.partition("://")
    if value != "sqlite" and (scheme not in schemes or not rest.split("/")[0]):
        raise ValueError(f"{value.rpartition('@')[2]!r} is not a store this version has: use sqlite or {example}")
    if ":" in rest.rpartition("@")[0]:
        raise ValueError("holds a password: give it in the environment instead (docs/scale.md)")
    return value


def _xdg(environment: Mapping[str, str], variable: str, default: Path) -> Path:
    return Path(environment.get(variable) or default) / "claimwatch"
