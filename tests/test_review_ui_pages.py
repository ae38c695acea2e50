"""Every template uses exactly what its page has, in both languages, and is built for everybody."""

import re
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import jinja2.meta
import jinja2.nodes
import pytest
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir

from review_ui import pages
from review_ui.languages import Language, messages
from review_ui.templates import FOLDER, STATIC, environment

PAGES = [
    kind
    for kind in vars(pages).values()
    if isinstance(kind, type) and issubclass(kind, pages.Page) and kind is not pages.Page
]
ENVIRONMENT = environment(Language("en", ZoneInfo("Asia/Ho_Chi_Minh")))


def used(template: str) -> set[str]:
    """The names that a template takes from outside, without those it imports or makes itself."""
    tree = ENVIRONMENT.parse((FOLDER / template).read_text(encoding="utf-8"))
    imported = [name for node in tree.find_all(jinja2.nodes.FromImport) for name in node.names]
    own = {name[1] if isinstance(name, tuple) else name for name in imported}
    own |= {macro.name for macro in tree.find_all(jinja2.nodes.Macro)}
    included = [used(node.template.as_const()) for node in tree.find_all(jinja2.nodes.Include)]
    return jinja2.meta.find_undeclared_variables(tree).union(*included) - set(ENVIRONMENT.globals) - own


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.__name__)
def test_a_template_uses_exactly_the_fields_of_its_page(page: type[pages.Page]) -> None:
    assert is_dataclass(page)
    assert used(page.template) - {"frame"} == {field.name for field in fields(page)}


def test_the_layout_uses_nothing_but_its_frame() -> None:
    names = set(re.findall(r"frame\.(\w+)", "".join(file.read_text() for file in FOLDER.glob("*.html"))))
    assert used("layout.html") == {"frame"}
    assert names == {field.name for field in fields(pages.Frame)}


def test_every_template_belongs_to_a_page() -> None:
    assert {file.name for file in FOLDER.iterdir()} == {page.template for page in PAGES} | {"layout.html", "parts.html"}


def extracted() -> set[str | tuple[str, ...]]:
    found = extract_from_dir(
        str(FOLDER.parent),
        method_map=[("**.py", "python"), ("templates/**.html", "jinja2.ext:babel_extract")],
        options_map={"templates/**.html": {"trim_blocks": "true", "lstrip_blocks": "true", "silent": "false"}},
        keywords=DEFAULT_KEYWORDS | {"say": None},
    )
    return {message for _, _, message, _, _ in found}


def test_every_message_has_a_vietnamese_translation() -> None:
    catalogue, asked = messages("vi"), extracted()
    assert len(asked) > 150
    assert [one for one in asked if not translated(catalogue, one)] == []


def test_the_catalogue_holds_nothing_that_no_page_says() -> None:
    known = {key[0] if isinstance(key, tuple) else key for key in vars(messages("vi"))["_catalog"]}
    asked = {one[0] if isinstance(one, tuple) else one for one in extracted()}
    assert known - asked == {""}


@pytest.mark.parametrize("language", ["vi", "en"])
def test_a_translation_keeps_the_placeholders(language: str) -> None:
    catalogue = messages(language)
    for one in extracted():
        english = one[-1] if isinstance(one, tuple) else one
        said = catalogue.ngettext(one[0], one[1], 2) if isinstance(one, tuple) else catalogue.gettext(one)
        assert set(re.findall(r"%\(\w+\)s", said)) == set(re.findall(r"%\(\w+\)s", english)), one


def translated(catalogue: Any, message: str | tuple[str, ...]) -> bool:
    known = vars(catalogue)["_catalog"]
    return bool(known.get((message[0], 0) if isinstance(message, tuple) else message))


def test_no_template_holds_script_or_style_that_the_policy_would_block() -> None:
    for file in FOLDER.glob("*.html"):
        source = file.read_text(encoding="utf-8")
        assert not re.search(r"\sstyle=|\son\w+=|<style|<script(?! src=\"/static/)|javascript:", source), file.name


def test_every_field_of_a_form_has_a_label() -> None:
    for file in FOLDER.glob("*.html"):
        source = re.sub(r"<label.*?</label>", "", file.read_text(encoding="utf-8"), flags=re.DOTALL)
        bare = [tag for tag in re.findall(r"<(?:input|select|textarea)[^>]*", source) if 'type="hidden"' not in tag]
        assert [tag for tag in bare if "aria-label=" not in tag] == [], file.name


def test_every_form_that_changes_something_carries_the_token() -> None:
    for file in FOLDER.glob("*.html"):
        for form in re.findall(r'<form method="post".*?</form>', file.read_text(encoding="utf-8"), flags=re.DOTALL):
            assert "token_of(frame)" in form or "seen_fields()" in form, file.name


def colours(css: str) -> dict[str, tuple[int, int, int]]:
    found = re.findall(r"--([\w-]+): #([0-9a-f]{6});", css)
    return {name: (int(value[:2], 16), int(value[2:4], 16), int(value[4:], 16)) for name, value in found}


def contrast(one: tuple[int, int, int], other: tuple[int, int, int]) -> float:
    """The contrast ratio of WCAG 2."""

    def light(colour: tuple[int, int, int]) -> float:
        parts = [value / 255 for value in colour]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    bright, dark = sorted((light(one), light(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


TEXT_ON = [
    *((text, ground) for text in ("ink", "soft", "accent") for ground in ("ground", "paper", "accent-pale")),
    ("accent-ink", "accent"),
    *((name, f"{name}-pale") for name in ("bad", "good", "warn")),
    *(("ink", f"{name}-pale") for name in ("bad", "good")),
]
MARKS_ON = [*((f"mark-{n}", "paper") for n in (1, 2, 3, 4)), ("focus", "paper"), ("focus", "ground")]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_colours_can_be_told_apart(scheme: str) -> None:
    light, dark = (STATIC / "app.css").read_text(encoding="utf-8").split("prefers-color-scheme: dark", 1)
    palette = colours(light if scheme == "light" else dark)
    assert {
        pair: round(contrast(palette[pair[0]], palette[pair[1]]), 2)
        for pair in TEXT_ON
        if contrast(palette[pair[0]], palette[pair[1]]) < 4.5
    } == {}
    assert {pair for pair in MARKS_ON if contrast(palette[pair[0]], palette[pair[1]]) < 3} == set()


def test_the_library_is_kept_with_its_licence() -> None:
    licence = Path(STATIC / "htmx.LICENSE.txt").read_text(encoding="utf-8")
    assert "Zero-Clause BSD" in licence
    version = re.search(r"htmx (\d+\.\d+\.\d+)", licence)
    assert version
    assert version[1] in (STATIC / "htmx.min.js").read_text(encoding="utf-8")


def test_a_share_that_is_short_of_the_whole_is_never_told_as_the_whole() -> None:
    english = Language("en", ZoneInfo("Asia/Ho_Chi_Minh"))
    assert [english.percent(share) for share in (0.0, 0.494, 0.9962, 0.99999, 1.0)] == [
        "0%",
        "49%",
        "99%",
        "99%",
        "100%",
    ]
