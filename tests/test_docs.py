"""The reference pages say what the code says, and every command has help."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import click
import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def reference() -> ModuleType:
    spec = importlib.util.spec_from_file_location("reference", ROOT / "scripts/reference.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_reference_pages_are_current(reference: ModuleType) -> None:
    assert reference.stale() == []


def test_every_command_and_every_option_has_help(reference: ModuleType) -> None:
    for path, command in reference._walk("claimwatch", reference.claimwatch):
        assert command.help, path
        for option in (one for one in command.params if isinstance(one, click.Option)):
            assert option.help, f"{path} {option.name}"


def test_every_local_link_of_the_pages_leads_somewhere() -> None:
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/**/*.md")]:
        for target in re.findall(r"\]\((?!https?://)([^)#]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_readme_opens_with_what_it_is_a_picture_and_the_two_commands() -> None:
    first = "\n".join((ROOT / "README.md").read_text(encoding="utf-8").splitlines()[:20])
    assert all(
        part in first for part in ("claimwatch watches public posts", "make demo", "make test", "](docs/pictures/")
    )
    assert "## What it will not do" in (ROOT / "README.md").read_text(encoding="utf-8")
