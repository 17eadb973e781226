"""Step 3: a model's name as somebody wrote it, held against the names that their key may call."""

import unicodedata
from collections.abc import Sequence
from typing import Final

from tollhouse.checklist.steps import Trouble
from tollhouse.core.phrase import Phrase
from tollhouse.core.spelling import nearest_few

MODEL_MAX: Final = 512
_DASHES: Final = {ord(dash): "-" for dash in "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d_"}
_NEAR: Final = 3
_ENDINGS: Final = (":latest", ":free", ":beta", "-latest")


def plain(name: str) -> str:
    """The name as it is compared where it is none: Unicode in its plain form, without quotes, blanks, letter case, and
    the vendor before a slash."""
    folded = unicodedata.normalize("NFKC", name).translate(_DASHES).casefold()
    bare = "".join(letter for letter in folded if unicodedata.category(letter)[0] not in "CZ").strip("\"'`")
    return bare.rpartition("/")[2]


def meant(name: str, known: Sequence[str]) -> tuple[str, ...]:
    """The known names that somebody may have meant, the likest first."""
    wanted = plain(name)
    same = [one for one in known if plain(one) == wanted]
    if same:
        return tuple(same[:_NEAR])
    for ending in _ENDINGS:
        short = wanted.removesuffix(ending)
        same = [one for one in known if plain(one) in (short, short + ending)]
        if same:
            return tuple(same[:_NEAR])
    return tuple(nearest_few(name[:60], known, _NEAR))


def unknown(name: str, known: Sequence[str]) -> Trouble:
    """Of a name that this key cannot call, by the names that it can."""
    near = meant(name, known)
    reason = Phrase("This key has no model `%(name)s`.", name=_shown(name))
    same = bool(near) and plain(near[0]) == plain(name)
    if same:
        reason = Phrase(
            "This key has no model `%(name)s`: %(how)s.", name=_shown(name), how=_difference(name.strip(), near[0])
        )
    names = ", ".join(f"`{one}`" for one in (near[:1] if same else near))
    cure = Phrase("Use %(names)s, spelled exactly so. GET /v1/models lists the names of this key.", names=names)
    if not near:
        cure = Phrase("This key may call no model: whoever administers the account or the platform opens some to it.")
    return Trouble(reason, cure, "model_not_found")


def _difference(name: str, known: str) -> Phrase:
    if name == known:
        return Phrase("blanks stand around it")
    if name.casefold() == known.casefold():
        return Phrase("letters are written in another case")
    if not name.isascii():
        return Phrase("it holds letters or dashes that only look like those of the name")
    if "/" in name and "/" not in known:
        return Phrase("the vendor before the slash does not belong to it")
    return Phrase("it is written otherwise")


def _shown(name: str) -> str:
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in name[:80])
