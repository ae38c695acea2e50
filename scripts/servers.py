"""Real Elasticsearch and PostgreSQL servers on loopback, for tests, the demo and benchmarks. Needs nothing but Python.

    python scripts/servers.py with [--nodes N] [--heap 512m] -- COMMAND ...

runs COMMAND with CLAIMWATCH_TEST_ELASTICSEARCH and CLAIMWATCH_TEST_POSTGRES set, and stops the servers after it. A
server whose variable is already set is not started; one that cannot be had is named with the reason, and its variable
stays unset. Elasticsearch is fetched once into a cache folder (CLAIMWATCH_SERVERS names another) with Maven; it needs
Java 21 or newer.
"""

import argparse
import contextlib
import hashlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

VERSION = "9.5.3"
_ARTIFACT = f"org.elasticsearch.distribution.integ-test-zip:elasticsearch:{VERSION}:zip"
_MAVEN_GET = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:get"
_SHA512 = (
    "ae57654932de854d755af63f2a63667621967870b79ec449407618075c13dc12"
    "012317388e0a232071e4f2a65c9d973bb681d978fac56445a0790443df0823d1"
)
#: Seconds until a server must answer; three nodes on two busy cores took 32.
_PATIENCE = 180.0
#: Both servers refuse to run as root.
_USER = "nobody"
_ELASTIC = "CLAIMWATCH_TEST_ELASTICSEARCH"
_POSTGRES = "CLAIMWATCH_TEST_POSTGRES"


class UnavailableError(Exception):
    """A server cannot be had here; the message says why and what would help."""


def cache_folder() -> Path:
    """Where fetched servers are kept between runs; another user than root must be able to read it."""
    given = os.environ.get("CLAIMWATCH_SERVERS")
    if given:
        return Path(given)
    if os.geteuid() == 0:
        return Path("/var/cache/claimwatch-servers")
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "claimwatch/servers"


def java_home() -> Path:
    """The newest Java here that Elasticsearch runs on."""
    named = [os.environ.get("ES_JAVA_HOME"), os.environ.get("JAVA_HOME"), shutil.which("java")]
    homes = {Path(home).resolve() for home in named if home}
    homes = {home.parent.parent if home.name == "java" else home for home in homes}
    homes |= {home.resolve() for home in Path("/usr/lib/jvm").glob("*")}
    found = sorted((version, str(home)) for home in homes if (version := _java_version(home)) >= 21)
    if not found:
        raise UnavailableError(
            "Elasticsearch needs Java 21 or newer with jdk.incubator.vector: set ES_JAVA_HOME to one"
        )
    return Path(found[-1][1])


def _java_version(home: Path) -> int:
    """The feature version of a Java home; 0 where it is none or lacks the module."""
    java = home / "bin/java"
    if not os.access(java, os.X_OK):
        return 0
    told = subprocess.run([java, "--list-modules"], capture_output=True, text=True, check=False).stdout
    version = re.search(r"^java\.base@(\d+)", told, re.MULTILINE)
    return int(version[1]) if version and "jdk.incubator.vector" in told else 0


def fetch_elasticsearch() -> Path:
    """The folder of the unpacked server, fetched and checked the first time."""
    home = cache_folder() / f"elasticsearch-{VERSION}"
    if home.exists():
        return home
    cache_folder().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache_folder()) as work:
        archive = _fetched(Path(work))
        if hashlib.sha512(archive.read_bytes()).hexdigest() != _SHA512:
            raise UnavailableError(f"{archive.name}: not the file that this project was tried with")
        with zipfile.ZipFile(archive) as packed:
            packed.extractall(work)
        for script in (Path(work) / home.name / "bin").iterdir():
            script.chmod(0o755)
        Path(work).chmod(0o755)
        (Path(work) / home.name).rename(home)
    return home


def _fetched(work: Path) -> Path:
    if not shutil.which("mvn"):
        raise UnavailableError("Elasticsearch is fetched with Maven: apt-get install -y maven")
    print(f"Fetching Elasticsearch {VERSION} (127 MB, once)", file=sys.stderr, flush=True)
    command = ["mvn", "-q", "-B", f"-Dmaven.repo.local={work / 'maven'}", _MAVEN_GET, f"-Dartifact={_ARTIFACT}"]
    done = subprocess.run([*command, "-Dtransitive=false"], capture_output=True, text=True, check=False)
    found = sorted(work.rglob(f"elasticsearch-{VERSION}.zip"))
    if not found:
        said = (done.stdout + done.stderr).strip().splitlines() or ["no word of why"]
        raise UnavailableError(f"Elasticsearch could not be fetched: {said[0][:200]}")
    return found[0]


def free_port() -> int:
    """A port of loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _as_user(command: Sequence[str | Path]) -> list[str]:
    """The command as a user that may run servers: this one, unless it is root."""
    words = [str(word) for word in command]
    if os.geteuid() != 0:
        return words
    return ["setpriv", f"--reuid={_USER}", "--regid=nogroup", "--clear-groups", *words]


def _own(folder: Path) -> None:
    """Give a fresh folder to the user that the servers run as."""
    folder.mkdir(parents=True, exist_ok=True)
    if os.geteuid() == 0:
        for path in (folder, *folder.rglob("*")):
            shutil.chown(path, _USER)


def _kill(pid: int | None, number: signal.Signals) -> None:
    if pid is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def _last_word(log: Path) -> str:
    """The last error that a server's log tells, else its last line."""
    lines = log.read_text(errors="replace").strip().splitlines() or ["it said nothing"]
    return next((line for line in reversed(lines) if "[ERROR]" in line or "FATAL" in line), lines[-1])[:400]


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


@dataclass(slots=True, kw_only=True)
class ElasticNode:
    """One node of a cluster, in a folder of its own."""

    folder: Path
    name: str
    heap: str = "512m"
    http: int = field(default_factory=free_port)
    transport: int = field(default_factory=free_port)
    launcher: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.http}"

    def prepare(self, home: Path, peers: "Sequence[ElasticNode]") -> None:
        """Lay out its folder; `peers` are all nodes of the cluster."""
        _own(self.folder)
        config = self.folder / "config"
        (self.folder / "tmp").mkdir(exist_ok=True)
        shutil.copytree(home / "config", config, dirs_exist_ok=True)
        settings: dict[str, Any] = {
            "cluster.name": self.folder.parent.name,
            "node.name": self.name,
            "network.host": "127.0.0.1",
            "http.port": self.http,
            "transport.port": self.transport,
            "path.data": str(self.folder / "data"),
            "path.logs": str(self.folder / "logs"),
            "xpack.security.enabled": False,
            "cluster.routing.allocation.disk.watermark.low": "500mb",
            "cluster.routing.allocation.disk.watermark.high": "300mb",
            "cluster.routing.allocation.disk.watermark.flood_stage": "100mb",
        }
        if len(peers) == 1:
            settings["discovery.type"] = "single-node"
        else:
            settings["discovery.seed_hosts"] = [f"127.0.0.1:{peer.transport}" for peer in peers]
            settings["cluster.initial_master_nodes"] = [peer.name for peer in peers]
        lines = [f"{key}: {json.dumps(value)}" for key, value in settings.items()]
        (config / "elasticsearch.yml").write_text("\n".join(lines) + "\n", encoding="utf-8")
        _own(self.folder)

    def start(self, home: Path) -> None:
        """Start it; `wait` tells when it answers."""
        (self.folder / "pid").unlink(missing_ok=True)
        environment = os.environ | {
            "ES_JAVA_HOME": str(java_home()),
            "ES_JAVA_OPTS": f"-Xms{self.heap} -Xmx{self.heap}",
            "ES_PATH_CONF": str(self.folder / "config"),
            "ES_TMPDIR": str(self.folder / "tmp"),  # may not hold its settings: it is writable
            "HOME": str(self.folder),
        }
        with (self.folder / "out.log").open("ab") as out:
            self.launcher = subprocess.Popen(  # ends with the server, which is another process
                _as_user([home / "bin/elasticsearch", "-p", self.folder / "pid"]),
                env=environment,
                stdout=out,
                stderr=out,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                cwd=self.folder,
            )

    def pid(self) -> int | None:
        """The server's process, once it has said so."""
        with contextlib.suppress(OSError, ValueError):
            return int((self.folder / "pid").read_text())
        return None

    def kill(self) -> None:
        """As a power cut: no farewell."""
        _kill(self.pid(), signal.SIGKILL)
        if self.launcher is not None:
            self.launcher.kill()
            self.launcher.wait(timeout=20)

    def stop(self) -> None:
        """End it; what it does not end in 20 seconds is killed."""
        pid = self.pid()
        _kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + 20
        while pid is not None and _alive(pid) and time.monotonic() < deadline:
            time.sleep(0.1)
        _kill(pid, signal.SIGKILL)
        if self.launcher is not None:
            self.launcher.wait(timeout=20)

    def wait(self, *, nodes: int = 1) -> None:
        """Until the cluster of so many nodes is green."""
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline and not (self.launcher and self.launcher.poll()):
            health = self.health()
            if health.get("status") == "green" and health["number_of_nodes"] >= nodes:
                return
            time.sleep(0.3)
        raise UnavailableError(f"Elasticsearch does not start: {_last_word(self.folder / 'out.log')}")

    def health(self) -> dict[str, Any]:
        """What it says of its cluster; empty where it does not answer."""
        try:
            with urllib.request.urlopen(f"{self.url}/_cluster/health", timeout=5) as answer:
                told: dict[str, Any] = json.load(answer)
                return told
        except (OSError, urllib.error.URLError, ValueError):
            return {}


@dataclass(slots=True, kw_only=True)
class Postgres:
    """One PostgreSQL server in a folder of its own."""

    folder: Path
    durable: bool = True  #: False: no fsync, for tests that kill nothing
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The maintenance database; its user may make others."""
        return f"postgresql://claimwatch@127.0.0.1:{self.port}/postgres"

    def prepare(self) -> None:
        """Make the data folder."""
        _own(self.folder)
        options: list[str | Path] = [
            "-D",
            self.folder / "data",
            "-U",
            "claimwatch",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
        ]
        done = subprocess.run(
            _as_user([_postgres("initdb"), *options]), capture_output=True, text=True, check=False, cwd=self.folder
        )
        if done.returncode:
            raise UnavailableError(f"PostgreSQL could not make its folder: {done.stderr.strip()[:300]}")

    def start(self) -> None:
        """Start it and wait until it answers."""
        settings = {
            "port": self.port,
            "unix_socket_directories": self.folder,
            "listen_addresses": "127.0.0.1",
            "max_connections": 200,
            "fsync": "on" if self.durable else "off",
        }
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        command = _as_user([_postgres("postgres"), "-D", self.folder / "data", *options])
        asked = [str(_postgres("pg_isready")), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        deadline = time.monotonic() + _PATIENCE
        self.process = self._launched(command)
        while subprocess.run(asked, check=False).returncode:
            if time.monotonic() > deadline:
                raise UnavailableError(f"PostgreSQL does not start: {_last_word(self.folder / 'out.log')}")
            time.sleep(0.1)
            if self.process.poll() is not None:  # killed just before: what it left behind is still ending
                self.process = self._launched(command)

    def _launched(self, command: list[str]) -> subprocess.Popen[bytes]:
        with (self.folder / "out.log").open("ab") as out:
            return subprocess.Popen(
                command, stdout=out, stderr=out, stdin=subprocess.DEVNULL, start_new_session=True, cwd=self.folder
            )

    def pid(self) -> int | None:
        """The server's first process."""
        with contextlib.suppress(OSError, ValueError):
            return int((self.folder / "data/postmaster.pid").read_text().splitlines()[0])
        return None

    def processes(self) -> list[int]:
        """All its processes, the first one first."""
        first = self.pid()
        if first is None:
            return []
        children = Path(f"/proc/{first}/task/{first}/children").read_text().split()
        return [first, *map(int, children)]

    def kill(self) -> None:
        """As a power cut: no farewell."""
        _kill(self.pid(), signal.SIGKILL)
        if self.process is not None:
            self.process.wait(timeout=20)  # while it is not reaped, the next one takes it for alive

    def stop(self) -> None:
        """End it, connections and all."""
        pid = self.pid()
        _kill(pid, signal.SIGINT)
        deadline = time.monotonic() + 20
        while pid is not None and _alive(pid) and time.monotonic() < deadline:
            time.sleep(0.05)
        _kill(pid, signal.SIGKILL)
        if self.process is not None:
            self.process.wait(timeout=20)


def _postgres(program: str) -> Path:
    """A program of the newest PostgreSQL here."""
    found = [path for path in Path("/usr/lib/postgresql").glob(f"*/bin/{program}") if path.parts[-3].isdigit()]
    if found:
        return max(found, key=lambda path: int(path.parts[-3]))
    on_path = shutil.which(program)
    if on_path is None:
        raise UnavailableError("PostgreSQL is not installed: apt-get install -y postgresql")
    return Path(on_path)


@contextlib.contextmanager
def elasticsearch(folder: Path, *, nodes: int = 1, heap: str = "512m") -> Iterator[list[ElasticNode]]:
    """A running cluster; its nodes."""
    home = fetch_elasticsearch()
    java_home()
    cluster = [ElasticNode(folder=folder / f"node{n}", name=f"node{n}", heap=heap) for n in range(nodes)]
    for node in cluster:
        node.prepare(home, cluster)
    try:
        for node in cluster:
            node.start(home)
        for node in cluster:
            node.wait(nodes=nodes)
        yield cluster
    finally:
        for node in cluster:
            node.stop()


@contextlib.contextmanager
def postgres(folder: Path, *, durable: bool = True) -> Iterator[Postgres]:
    """A running server."""
    server = Postgres(folder=folder, durable=durable)
    server.prepare()
    try:
        server.start()
        yield server
    finally:
        server.stop()


@contextlib.contextmanager
def run_folder() -> Iterator[Path]:
    """A folder for data of servers that is deleted with all in it; their user may pass through it."""
    folder = Path(tempfile.mkdtemp(prefix="claimwatch-servers-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _with(arguments: argparse.Namespace) -> int:
    environment = dict(os.environ)
    with run_folder() as folder, contextlib.ExitStack() as running:
        if _ELASTIC not in environment:
            try:
                cluster = running.enter_context(
                    elasticsearch(folder / "elastic", nodes=arguments.nodes, heap=arguments.heap)
                )
                environment[_ELASTIC] = ",".join(node.url for node in cluster)
            except UnavailableError as error:
                print(f"No Elasticsearch: {error}", file=sys.stderr, flush=True)
        if _POSTGRES not in environment:
            try:
                environment[_POSTGRES] = running.enter_context(
                    postgres(folder / "postgres", durable=not arguments.fast)
                ).url
            except UnavailableError as error:
                print(f"No PostgreSQL: {error}", file=sys.stderr, flush=True)
        for name in (_ELASTIC, _POSTGRES):
            print(f"{name}={environment.get(name, '')}", file=sys.stderr, flush=True)
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        command = subprocess.Popen(arguments.command, env=environment)
        while True:
            try:
                return command.wait()
            except KeyboardInterrupt:
                continue  # the command got it too, and ends in its own way


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    words = parser.add_subparsers(required=True)
    run = words.add_parser("with", help="run a command beside the servers")
    run.add_argument("--nodes", type=int, default=1, help="nodes of Elasticsearch")
    run.add_argument("--heap", default="512m", help="memory of each node's heap")
    run.add_argument("--fast", action="store_true", help="PostgreSQL without fsync, for tests that kill nothing")
    run.add_argument("command", nargs="+", metavar="COMMAND", help="after a --")
    return _with(parser.parse_args())


if __name__ == "__main__":
    sys.exit(main())
