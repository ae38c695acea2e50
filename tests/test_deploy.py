"""What is in deploy/ fits this version: settings, versions, hardening; and nginx, where it is installed, takes it."""

import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from claimwatch import __version__, settings
from jobs.cli import COMMANDS

ROOT = Path(__file__).parent.parent
DEPLOY = ROOT / "deploy"
FILES = [file for file in sorted(DEPLOY.rglob("*")) if file.is_file() and file.name != "requirements.lock"]
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yml").read_text("utf-8"))
    return read


def test_compose_has_every_part_and_depends_only_on_parts(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert set(services) == {"elasticsearch", "postgres", "prepare", "web", "worker", "proxy"}
    for name, service in services.items():
        assert set(service.get("depends_on", {})) <= set(services), name
        assert set(service.get("secrets", [])) <= set(compose["secrets"]), name
        assert set(service.get("networks", [])) <= set(compose["networks"]), name
        named = [one.split(":")[0] for one in service.get("volumes", []) if not one.startswith(".")]
        assert set(named) <= set(compose["volumes"]), name
    assert services["worker"]["deploy"]["replicas"] == 2


def test_every_image_has_a_version_and_ours_is_this_one(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        tag = service["image"].rpartition(":")[2]
        assert re.match(r"\d+\.\d+", tag), name
    assert compose["services"]["web"]["image"] == f"claimwatch:{__version__}"
    first = re.search(r"ARG PYTHON=\S+:(\S+)", (DEPLOY / "Containerfile").read_text("utf-8"))
    assert first is not None
    assert re.match(r"\d+\.\d+\.\d+", first[1])


def test_our_containers_are_hardened_and_only_the_proxy_is_reached_from_outside(compose: dict[str, Any]) -> None:
    for name in ("prepare", "web", "worker"):
        service = compose["services"][name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert "no-new-privileges:true" in service["security_opt"]
    assert [name for name, one in compose["services"].items() if "ports" in one] == ["proxy"]
    assert compose["networks"]["inside"] == {"internal": True}
    assert re.search(r"^USER 1000:1000$", (DEPLOY / "Containerfile").read_text("utf-8"), re.MULTILINE)


def test_what_compose_sets_is_taken_by_the_settings(compose: dict[str, Any], tmp_path: Path) -> None:
    file = tmp_path / "claimwatch.yml"
    file.write_text("", encoding="utf-8")
    example = dict(
        line.split("=", 1) for line in (DEPLOY / "env.example").read_text("utf-8").splitlines() if is_set(line)
    )
    for name in ("web", "worker", "prepare"):
        given = compose["services"][name]["environment"]
        assert all(isinstance(value, str) for value in given.values()), name
        chosen = settings.load(file, example | given)
        assert chosen.stores.posts.startswith("elasticsearch+")
        assert chosen.logs.format == "json"


def is_set(line: str) -> bool:
    return bool(line) and not line.startswith("#")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_variable_named_is_a_setting(file: Path) -> None:
    for name in re.findall(r"CLAIMWATCH_[A-Z0-9_]*[A-Z0-9]", file.read_text("utf-8")):
        section, double, key = name.removeprefix("CLAIMWATCH_").lower().partition("__")
        if double:
            model = settings.Settings.model_fields[section].annotation
            assert isinstance(model, type), name
            assert key in model.model_fields, name
        else:
            known = settings._RESERVED | {f"{one}_FILE" for one in settings._RESERVED}
            short = name.removeprefix("CLAIMWATCH_")
            assert short in known or settings._CREDENTIAL.fullmatch(short), name


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_no_secret_and_no_floating_version_is_written_down(file: Path) -> None:
    text = file.read_text("utf-8")
    assert ":latest" not in text
    assert not re.search(r"(PASSWORD|TOKEN|_KEY)\s*[=:]\s*[^\s/$%#]", text)
    assert "BEGIN" not in text
    assert not re.search(r"\b[0-9a-f]{32,}\b", text)


def versions(lock: Path) -> dict[str, str]:
    return dict(re.findall(r"^([A-Za-z0-9_.-]+)==([^\s;]+)", lock.read_text("utf-8"), re.MULTILINE))


def test_the_image_gets_the_versions_that_are_tested() -> None:
    image, tested = versions(DEPLOY / "requirements.lock"), versions(ROOT / "requirements-dev.lock")
    assert {"elasticsearch", "psycopg", "procrastinate", "onnxruntime"} <= set(image)
    assert {name: version for name, version in image.items() if tested.get(name) != version} == {}
    assert "torch" not in image


def test_the_image_takes_every_package_of_the_wheel() -> None:
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"]["targets"]["wheel"]
    parts = [*wheel["packages"], *wheel["force-include"]]
    copied = (DEPLOY / "Containerfile").read_text("utf-8")
    kept = (DEPLOY / "Containerfile.dockerignore").read_text("utf-8").splitlines()
    for part in parts:
        assert f"COPY {part} {part}" in copied
        assert f"!{part}" in kept


def directives(unit: Path) -> Iterator[tuple[str, str]]:
    for line in unit.read_text("utf-8").splitlines():
        if is_set(line) and not line.startswith("["):
            yield line.partition("=")[0], line.partition("=")[2]


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_runs_a_command_of_ours_as_nobody_special(unit: Path) -> None:
    said = dict(directives(unit))
    assert said["ExecStart"].split()[1] in COMMANDS
    assert said["User"] == "claimwatch"
    assert said["ProtectSystem"] == "strict"
    assert (said["NoNewPrivileges"], said["CapabilityBoundingSet"]) == ("yes", "")


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_systemd_takes_the_units(tmp_path: Path) -> None:
    for unit in UNITS:
        text = unit.read_text("utf-8").replace("/opt/claimwatch/bin/claimwatch", "/bin/true")
        (tmp_path / unit.name.replace("@.", "@1.")).write_text(text, encoding="utf-8")
    done = subprocess.run(
        ["systemd-analyze", "verify", *map(str, tmp_path.iterdir())], capture_output=True, text=True, check=False
    )
    said = [line for line in done.stderr.splitlines() if line.startswith("claimwatch") or str(tmp_path) in line]
    assert said == []


@pytest.mark.skipif(not (shutil.which("nginx") and shutil.which("openssl")), reason="nginx is not installed")
def test_nginx_takes_its_configuration(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    make = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=desk.example -days 1"
    subprocess.run([*make.split(), "-keyout", key, "-out", certificate], check=True, capture_output=True)
    text = (DEPLOY / "nginx.conf").read_text("utf-8")
    # The folder first: the other two may lie in it.
    places = {
        "/tmp/": f"{tmp_path}/",
        "/run/secrets/tls_certificate;": f"{certificate};",
        "/run/secrets/tls_key;": f"{key};",
    }
    for written, here in places.items():
        text = text.replace(written, here)
    (tmp_path / "nginx.conf").write_text(text, encoding="utf-8")
    done = subprocess.run(
        ["nginx", "-t", "-q", "-c", str(tmp_path / "nginx.conf")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_every_local_link_of_the_page_leads_somewhere() -> None:
    targets = re.findall(r"\]\((?!https?://)([^)#]+)\)", (DEPLOY / "README.md").read_text("utf-8"))
    assert targets
    assert [target for target in targets if not (DEPLOY / target).exists()] == []
