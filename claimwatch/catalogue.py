"""Translations read as text at start, so that no compiled file is kept."""

from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po


def read_catalogue(file: Path, language: str) -> NullTranslations:
    """The catalogue of a .po file; without the file, the texts as the code says them."""
    if not file.exists():
        return NullTranslations()
    compiled = BytesIO()
    with file.open("rb") as texts:
        write_mo(compiled, read_po(texts, locale=language))
    compiled.seek(0)
    return GNUTranslations(compiled)
