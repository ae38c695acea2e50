"""Translations read as text."""

from pathlib import Path

from claimwatch.catalogue import read_catalogue


def test_a_catalogue_translates_what_it_holds_and_leaves_the_rest(tmp_path: Path) -> None:
    file = tmp_path / "a.po"
    head = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n'
    file.write_text(f'{head}\nmsgid "Queue"\nmsgstr "Hàng chờ"\n', encoding="utf-8")
    found = read_catalogue(file, "vi")
    assert (found.gettext("Queue"), found.gettext("Card")) == ("Hàng chờ", "Card")
    assert read_catalogue(tmp_path / "none.po", "vi").gettext("Queue") == "Queue"
