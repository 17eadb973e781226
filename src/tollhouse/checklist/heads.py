"""What people paste as the headers of a request or an answer: a dump of lines, an option of curl, JSON, a dict."""

import re
from collections.abc import Mapping
from typing import Final

HEADERS_MAX: Final = 100
_LINE: Final = re.compile(r"""^\s*(?:[<>*]\s+|-H\s+|--header\s+)?["']?([A-Za-z][A-Za-z0-9-]{1,60})["']?\s*:\s*(.*)$""")
_STATUS: Final = re.compile(r"HTTP/[0-9.]+\s+([1-5][0-9]{2})\b")


def read_headers(given: Mapping[str, str] | str) -> dict[str, str]:
    """By names in small letters; of several the first."""
    if not isinstance(given, str):
        return {name.strip().lower(): value for name, value in list(given.items())[:HEADERS_MAX]}
    found: dict[str, str] = {}
    for line in given.splitlines()[: 4 * HEADERS_MAX]:
        match = _LINE.match(line[:8_192])
        if match and len(found) < HEADERS_MAX:
            found.setdefault(match[1].lower(), _value(match[2]))
    return found


def status_in(text: str) -> int | None:
    """Of the first line of an answer."""
    found = _STATUS.search(text)
    return int(found[1]) if found else None


def _value(text: str) -> str:
    """Without the quote that closes an option of a shell, and without what separates members of JSON."""
    text = text.strip().removesuffix("\\").rstrip()
    if text.endswith(","):
        text = text[:-1].rstrip()
    if text[:1] in "\"'" and text[-1:] == text[:1] and len(text) > 1:
        return text[1:-1]
    if text[-1:] in "\"'" and text.count(text[-1]) % 2:
        return text[:-1]
    return text
