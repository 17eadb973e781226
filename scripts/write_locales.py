"""Bring the catalogues of the console's words up to date.

    .venv/bin/python scripts/write_locales.py

Words that are gone leave a catalogue, new ones come without a translation: a test names them. Translations are written
by hand into `src/tollhouse/console/locales/LANGUAGE.po`. Where two branches have changed it, take either, and run this.
"""

import ast
import io
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from tollhouse.console.language import NAMES
from tollhouse.console.words import of_records
from tollhouse.core.failure import every_failure

SOURCE = Path(__file__).parent.parent / "src/tollhouse"
CONSOLE = SOURCE / "console"
LOCALES = SOURCE / "services/locales"
SPOKEN = ("access", "billing", "checklist", "console", "core", "limits", "outbound", "services", "store")
"""Packages whose words come to pages and mails."""
FAILING = ("console", "services", "store")
"""Those whose failures are told to people on pages; others refuse calls, in English, which programs compare."""
_METHODS = [("templates/**.html", "jinja2.ext:babel_extract")]
_OPTIONS = {"templates/**.html": {"trimmed": "false", "newstyle_gettext": "true", "silent": "false"}}
_KEYWORDS = {"gettext": None, "ngettext": (1, 2), "_": None}
_MARKED: dict[str, tuple[int | str, ...]] = {
    "Phrase": (0,), "translatable": (0,), "MenuEntry": (1,), "Attempts": (0,), "Guesses": (0,),
    "require_operator": (1,), "require_room": (2, 3), "DeliveryResult": ("words",),
}  # fmt: skip
"""Which arguments of a call are said in the language of their reader: by their places or names."""
FAILURES = frozenset(kind.__name__ for kind in every_failure())


def extracted() -> Catalog:
    """All words that pages show."""
    catalog = Catalog()
    found = extract_from_dir(str(CONSOLE), _METHODS, _OPTIONS, _KEYWORDS)
    for _, _, words, _, _ in found:
        catalog.add(words)
    for word in sorted(of_records() | of_code()):
        catalog.add(word)
    return catalog


def of_code() -> set[str]:
    """What modules say: the texts of calls that mark them, and of failures."""
    return {word for name in SPOKEN for _, call in calls_in(name) for word in _words_of(call, name)}


def calls_in(package: str) -> Iterator[tuple[Path, ast.Call]]:
    for file in sorted((SOURCE / package).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                yield file, node


def name_of(call: ast.Call) -> str:
    """What is called, without where it is."""
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _words_of(call: ast.Call, package: str) -> Iterator[str]:
    name = name_of(call)
    marked = (0,) if name in FAILURES and package in FAILING else _MARKED.get(name, ())
    given: list[ast.expr] = [one.value for one in call.keywords if one.arg in marked]
    given += [one for at, one in enumerate(call.args) if at in marked]
    for one in given:
        if isinstance(one, ast.Constant) and isinstance(one.value, str) and one.value:
            yield one.value


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
