"""Bring the catalogues of the console's words up to date.

    .venv/bin/python scripts/write_locales.py

Words that are gone leave a catalogue, new ones come without a translation: a test names them. Translations are written
by hand into `src/tollhouse/console/locales/LANGUAGE.po`. Where two branches have changed it, take either, and run this.
"""

import io
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from tollhouse.console.language import NAMES
from tollhouse.console.words import of_records

CONSOLE = Path(__file__).parent.parent / "src/tollhouse/console"
LOCALES = CONSOLE / "locales"
_METHODS = [("pages/**.py", "python"), ("*.py", "python"), ("templates/**.html", "jinja2.ext:babel_extract")]
_OPTIONS = {"templates/**.html": {"trimmed": "false", "newstyle_gettext": "true", "silent": "false"}}
_KEYWORDS = {"translatable": None, "MenuEntry": (2,), "gettext": None, "ngettext": (1, 2), "_": None}


def extracted() -> Catalog:
    """All words that pages show."""
    catalog = Catalog()
    found = extract_from_dir(str(CONSOLE), _METHODS, _OPTIONS, _KEYWORDS)
    for _, _, words, _, _ in found:
        catalog.add(words)
    for word in sorted(of_records()):
        catalog.add(word)
    return catalog


def updated(language: str, words: Catalog) -> Catalog:
    """The catalogue of a language with the words of today, and what is known of their translation."""
    file = LOCALES / f"{language}.po"
    known = read_po(io.BytesIO(file.read_bytes()), locale=language.replace("-", "_")) if file.exists() else Catalog()
    made = Catalog(locale=language.replace("-", "_"), project="tollhouse", version="console")
    for message in sorted(words, key=lambda one: str(one.id)):
        if message.id:
            before = known.get(message.id)
            made.add(message.id, None if before is None else before.string)
    return made


def as_text(catalog: Catalog) -> bytes:
    out = io.BytesIO()
    write_po(out, catalog, omit_header=True, no_location=True, width=120)
    return out.getvalue()


def main() -> None:
    words = extracted()
    for language in NAMES:
        if language != "en":
            catalog = updated(language, words)
            (LOCALES / f"{language}.po").write_bytes(as_text(catalog))
            missing = sum(not one.string for one in catalog if one.id)
            print(f"{language}: {len(catalog)} words, {missing} without a translation")


if __name__ == "__main__":
    main()
