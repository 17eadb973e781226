"""The words of pages and mails in a language: a catalogue (`locales/LANGUAGE.po`), read when it is first asked for."""

from ast import literal_eval
from collections.abc import Callable, Mapping
from functools import cache, partial
from gettext import NullTranslations
from importlib.resources import files

from tollhouse.core.phrase import Phrase

Said = Callable[[str], str]
"""Says a text, or a phrase, in one language."""


class LanguageWords(NullTranslations):
    """Words by their English; what is not in it stays English.

    One form for every number, as languages have that are here so far besides English.
    """

    def __init__(self, words: Mapping[str, str]) -> None:
        super().__init__()
        self._words = words

    def gettext(self, message: str) -> str:
        return self._words.get(message) or message

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return self._words.get(msgid1) or super().ngettext(msgid1, msgid2, n)


@cache
def translations(language: str) -> NullTranslations:
    """English stands in templates and code, and needs no catalogue."""
    file = files("tollhouse.services").joinpath(f"locales/{language}.po")
    return LanguageWords(read(file.read_text(encoding="utf-8"))) if file.is_file() else NullTranslations()


def said(language: str) -> Said:
    return partial(_said, translations(language).gettext)


def _said(gettext: Callable[[str], str], text: str) -> str:
    if not isinstance(text, Phrase):
        return gettext(text)
    values = {name: _said(gettext, one) if isinstance(one, Phrase) else one for name, one in text.values.items()}
    return gettext(text.template) % values


def read(text: str) -> dict[str, str]:
    """A catalogue as gettext writes it: `msgid`, `msgstr` or `msgstr[0]`, each a string in one or more lines."""
    words: dict[str, str] = {}
    parts: dict[str, str] = {}
    name = ""
    for line in [*text.splitlines(), ""]:
        if line.startswith("msg"):
            name, _, quoted = line.partition(" ")
            parts[name] = literal_eval(quoted)
        elif line.startswith('"'):
            parts[name] += literal_eval(line)
        elif not line and "msgid" in parts:
            words[parts["msgid"]] = parts.get("msgstr") or parts.get("msgstr[0]", "")
            parts = {}
    return words
