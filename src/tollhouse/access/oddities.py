"""What is odd about a text that was sent as an API key, in words that repeat nothing of it.

Two questions: can it be a key at all (`odd_form`), and if it could but nobody has it, what is it likely to be
(`why_unknown`)? Both answer with a clause that goes on after "What came in `authorization`".
"""

import re
import unicodedata
from typing import Final

from tollhouse.access.secrets import BODY_LENGTH, CHECKSUM_LENGTH, PREFIXES, mode_of, parse
from tollhouse.core.escaping import named
from tollhouse.core.phrase import Phrase

_SCHEMES = frozenset({"basic", "digest", "token", "apikey", "api-key", "key", "negotiate", "ntlm", "hmac", "dpop"})
_FORBIDDEN = re.compile(r"[^\x21-\x7e]|[\"'`,]")
_BEYOND_ASCII = re.compile(r"[^\0-\x7e]")
_BLANK = re.compile(r"[ \t]")
_CONTROL = re.compile(r"[\0-\x08\x0a-\x1f]")
_QUOTES = "\"'`\u2018\u2019\u201c\u201d\u00b4\u00ab\u00bb"

_PLACEHOLDER = re.compile(
    r"none|null|nil|undefined|nan|true|false|test|token|secret|password|key|sk-?|sk-th-?(?:(?:live|test|admin)-?)?"
    r"|(?:sk-)?(?:your|my|some|insert|replace|enter|put|dummy|fake|example)(?:[-_].*|)|.*api[-_]?key.*"
    r"|changeme|change[-_]me|placeholder",
    re.IGNORECASE,
)
_UNFILLED = re.compile(r"[$<>{}\[\]()%\\]|\*{3}|\.\.\.|^(?:sk-(?:th-\w+-)?)?[xX*.]+$")

VENDORS: Final = (
    (re.compile(r"sk-ant-"), "Anthropic"),
    (re.compile(r"sk-or-"), "OpenRouter"),
    (re.compile(r"sk-(?:proj|svcacct|admin|None)-"), "OpenAI"),
    (re.compile(r"AIza|AQ\."), "Google"),
    (re.compile(r"gsk_"), "Groq"),
    (re.compile(r"xai-"), "xAI"),
    (re.compile(r"pplx-"), "Perplexity"),
    (re.compile(r"hf_"), "Hugging Face"),
    (re.compile(r"nvapi-"), "NVIDIA"),
    (re.compile(r"r8_"), "Replicate"),
    (re.compile(r"gh[a-z]_|github_pat_"), "GitHub"),
    (re.compile(r"A[KS]IA[0-9A-Z]{16}$"), "AWS"),
    (re.compile(r"fw_"), "Fireworks"),
    (re.compile(r"sess-|whsec_|rk_live_|sk_live_|sk_test_"), "another service"),
)


def vendor_of(text: str) -> str:
    """Whose keys begin as this text does; empty: nobody's, as far as is known."""
    return next((vendor for pattern, vendor in VENDORS if pattern.match(text)), "")


def odd_form(text: str) -> Phrase | None:
    """Why this cannot be a key, or None. Blanks around it and the word Bearer in front are already taken off; of a
    header every character is a byte. Names the first character that is in the way, and its place from 1."""
    if text[:7].lower() == "bearer:":
        return Phrase("has a colon after the word `Bearer`: a blank belongs there")
    if _FORBIDDEN.search(text) is None:
        return Phrase("has no blank between `Bearer` and the key") if text[:6].lower() == "bearer" else None
    text = _letters(text)
    ascii_only = text.isascii()
    if text[0] in _QUOTES or text[-1] in _QUOTES:
        at = 0 if text[0] in _QUOTES else len(text) - 1
        if ascii_only:
            return Phrase("stands in quotes (%(place)s): send the key without them", place=_place(text, at))
        return Phrase(
            "stands in quotes (%(place)s), which are not ASCII: send the key without them", place=_place(text, at)
        )
    beyond = _BEYOND_ASCII.search(text)
    if beyond is not None:
        return Phrase(
            "contains a character that is not ASCII (%(place)s): %(how)s",
            place=_place(text, beyond.start()),
            how=_how_it_came(beyond[0]),
        )
    control = _CONTROL.search(text)
    if control is not None:
        return Phrase("contains a control character or a line break (%(place)s)", place=_place(text, control.start()))
    return _odd_words(text)


def _letters(text: str) -> str:
    """What a header's bytes say: UTF-8 where they are that, as they nearly always are."""
    try:
        return text.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return text


def _place(text: str, at: int) -> Phrase:
    return Phrase("%(named)s, character %(at)s of %(all)s", named=named(text[at]), at=at + 1, all=len(text))


def _how_it_came(letter: str) -> Phrase:
    if letter in "\u2026\u2022\u25cf\u00b7\u2217":
        return Phrase("what was copied is the short form that pages show; copy the key where it is whole")
    foreign = letter.isalnum() and "LATIN" not in unicodedata.name(letter, "LATIN")
    if foreign and unicodedata.normalize("NFKC", letter) == letter:
        return Phrase("a letter of another script looks like one of ours; copy the key again instead of typing it")
    return Phrase("it was probably copied with formatting; copy the key again, as plain text")


def _odd_words(text: str) -> Phrase:
    first = text.replace("\t", " ").split(" ")[0].lower()
    if first == "bearer":
        return Phrase(
            "has the word `Bearer` where only the key belongs, or has it twice: send it once, in `Authorization` only"
        )
    if first in _SCHEMES:
        return Phrase("uses the scheme `%(scheme)s`: this platform reads `Bearer`", scheme=first.capitalize())
    if "," in text:
        return Phrase("is joined by a comma: several keys, or one header sent twice; send one key")
    blank = _BLANK.search(text)
    if blank is not None:
        return Phrase("has white space inside the key (%(place)s)", place=_place(text, blank.start()))
    mark = next(at for at, letter in enumerate(text) if letter in _QUOTES)
    return Phrase("contains a quotation mark (%(place)s): send the key without it", place=_place(text, mark))


def is_placeholder(text: str) -> bool:
    """Whether this stands where a key was to be put, or is one that was shortened by hand."""
    return parse(text) != "ours" and bool(_UNFILLED.search(text) or _PLACEHOLDER.fullmatch(text))


def why_unknown(text: str) -> Phrase:
    """What a plausible key that nobody here has is likely to be."""
    shape = parse(text)
    if shape == "ours":
        return Phrase("is well formed but unknown here: it was deleted, or made by another installation")
    if is_placeholder(text):
        return Phrase("is a placeholder or a variable that was not filled in")
    if shape == "damaged":
        return _damage(text)
    for pattern, vendor in VENDORS:
        if pattern.match(text):
            return Phrase("looks like a key of %(vendor)s: this platform needs one of its own", vendor=vendor)
    if text.startswith("eyJ") and text.count(".") == 2:
        return Phrase("is a JSON web token, not an API key")
    return Phrase(
        "is not a key of this platform: those begin with `sk-th-`, and no other of %(count)s characters is known",
        count=len(text),
    )


def _damage(text: str) -> Phrase:
    mode = mode_of(text)
    if mode is None:
        return Phrase("begins like a key of this platform and goes on otherwise: it was mistyped")
    length = len(PREFIXES[mode]) + BODY_LENGTH + CHECKSUM_LENGTH
    if len(text) != length:
        what = Phrase("was cut") if len(text) < length else Phrase("has something added")
        return Phrase(
            "begins like a key of this platform but has %(count)s characters instead of %(length)s: it %(what)s",
            count=len(text),
            length=length,
            what=what,
        )
    return Phrase(
        "has the form of a key of this platform but its checksum is wrong: a character was changed or mistyped"
    )
