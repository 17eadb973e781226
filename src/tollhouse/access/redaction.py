"""Takes secrets out of what somebody is about to show to others: a body, a header dump, a command, a piece of code.

The shapes are regular expressions that Python and JavaScript read alike, so that a page takes them out in the browser,
before anything is sent. The first group of each stays; what comes behind it goes. Sources of the forms: each vendor's
documentation of its keys, and the rules of public secret scanners.
"""

import re
from typing import Final, NamedTuple

from tollhouse.access.exposed import REDACTED

TEXT_MAX: Final = 200_000
"""Characters that are looked through; a longer text is cut there, for nobody knows what stands behind."""


class Shape(NamedTuple):
    """`any_case`: letters stand for both cases."""

    pattern: str
    any_case: bool = False


_KEEP: Final = r"((?<![0-9A-Za-z]))"
_PLACEHOLDER: Final = (
    r"(?!\$|<|\{|%|\*|\.\.|env:|your|my[-_]|xxx|none\b|null\b|true\b|false\b|os\.|process\.|getenv|self\.|secrets?\.|"
    r"settings\.|config\.|str\b|string\b|required|optional|\[)"
)
SHAPES: Final = (
    Shape(r"()-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)"),
    Shape(_KEEP + r"sk-(?:th|ant|or|proj|svcacct|admin|None|lf|cp)-[0-9A-Za-z_-]{16,}"),
    Shape(_KEEP + r"sk-[0-9A-Za-z]{20,}"),
    Shape(
        _KEEP + r"(?:AIza[0-9A-Za-z_-]{30,}|AQ\.[0-9A-Za-z_-]{20,}|ya29\.[0-9A-Za-z_-]{20,}|GOCSPX-[0-9A-Za-z_-]{20,})"
    ),
    Shape(
        _KEEP + r"(?:gsk|hf|r8|fw|csk|gh[opsur]|github_pat|whsec|[rs]k_(?:live|test)|npm|jina|tgp_v1|dop_v1|shpat|bl)_"
        r"[0-9A-Za-z_-]{20,}"
    ),
    Shape(_KEEP + r"(?:xai|pplx|nvapi|sess|glpat|pypi|ark|pa|xox[abeprs]|co|dapi)-[0-9A-Za-z_-]{20,}"),
    Shape(_KEEP + r"dapi[0-9a-f]{32}"),
    Shape(
        _KEEP + r"(?:SG\.[0-9A-Za-z_-]{16,}\.[0-9A-Za-z_-]{16,}|ABSK[0-9A-Za-z+/=]{40,}|LTAI[0-9A-Za-z]{12,}"
        r"|AKID[0-9A-Za-z]{20,})"
    ),
    Shape(_KEEP + r"(?:A[KS]IA|ABIA|ACCA)[0-9A-Z]{16}"),
    Shape(_KEEP + r"[0-9a-f]{32}\.[0-9A-Za-z]{16}(?![0-9A-Za-z])"),
    Shape(_KEEP + r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}:[0-9a-f]{32}"),
    Shape(_KEEP + r"eyJ[0-9A-Za-z_-]{10,}\.[0-9A-Za-z_-]{10,}\.[0-9A-Za-z_-]*"),
    Shape(r"(\b[a-z][a-z0-9+.-]{1,15}://[^\s:/@\"']{0,80}:)[^\s/@\"']{3,200}(?=@)", any_case=True),
    Shape(r"(\b(?:bearer|basic|token|apikey|negotiate) +)" + _PLACEHOLDER + r"[0-9a-z._~+/=-]{16,}", any_case=True),
    Shape(
        r"(\b(?:proxy-)?authorization[\"']?\s*[:=]\s*[\"']?)"
        + _PLACEHOLDER
        + r"(?!bearer |basic |token )[^\s\"',;\\]{8,}",
        any_case=True,
    ),
    Shape(r"(\b(?:set-)?cookie[\"']?\s*:\s*[\"']?)" + _PLACEHOLDER + r"[^\n\"']{8,}", any_case=True),
    Shape(
        r"((?:^|[^a-z])(?:pass(?:word|wd|phrase)|pwd)[\"']?\s*[:=]\s*[\"']?)"
        + _PLACEHOLDER
        + r"(?=[^\s\"',;&]*[0-9!#^])"
        r"[^\s\"',;&()]{6,}",
        any_case=True,
    ),
    Shape(
        r"((?:api|access|auth|secret|private|account|subscription|client|signing|session|security|refresh|id|x|app)?[-_]?"
        r"(?:key|secret|token|credential|signature|sas)[\"']?\s*(?:[:=]|=>)\s*[\"']?)"
        + _PLACEHOLDER
        + r"(?=[^\s\"',;&]*[0-9])(?=[^\s\"',;&]*[a-z])[0-9a-z+/=_.~-]{16,}",
        any_case=True,
    ),
    Shape(
        _KEEP + r"(?=[0-9A-Za-z+/_-]{0,60}[0-9][0-9A-Za-z+/_-]{0,60}[0-9])"
        r"(?=[0-9A-Za-z+/_-]{0,60}[A-Z][0-9A-Za-z+/_-]{0,60}[A-Z])"
        r"(?=[0-9A-Za-z+/_-]{0,60}[a-z])[0-9A-Za-z+/_-]{32,}={0,2}"
    ),
)
_READ: Final = tuple(re.compile(one.pattern, re.ASCII | (re.IGNORECASE if one.any_case else 0)) for one in SHAPES)


class Redacted(NamedTuple):
    """`found`: how many secrets went."""

    text: str
    found: int


def redact(text: str) -> Redacted:
    """The text with `[redacted key]` in place of each secret. What is longer than TEXT_MAX is cut."""
    text, found = text[:TEXT_MAX], 0
    for pattern in _READ:
        text, count = pattern.subn(lambda match: match[1] + REDACTED, text)
        found += count
    return Redacted(text, found)
