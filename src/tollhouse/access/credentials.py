"""Finding the API key of a request: five headers and `?key=` may carry it, alone or several at once.

The text found is only plausible; whose it is, the directory knows. Nothing here repeats any part of what arrived:
messages name the carrier and say what is odd, because they end up in logs and chat rooms of other people.
"""

import re
from collections.abc import Callable
from typing import Final
from urllib.parse import parse_qsl

from msgspec import Struct

from tollhouse.access.oddities import odd_form, why_unknown
from tollhouse.access.secrets import digest, parse
from tollhouse.core.failure import BadRequest, KeyRefused

CARRIERS: Final = (b"authorization", b"x-api-key", b"api-key", b"x-goog-api-key")

_CARRIERS = frozenset(CARRIERS)
_USUAL = re.compile(rb"Bearer ([0-9A-Za-z_.~+/=:|@!#*-]+)")
_BEARER = re.compile(r"bearer(?:[ \t]+|$)", re.IGNORECASE)
_QUERY = "?key="
FIELDS_MAX: Final = 50
"""Parameters of a query in which a key is looked for."""
_HOW = "Send a key of this platform as `Authorization: Bearer sk-th-...`"


class Presented(Struct, frozen=True, gc=False):
    """A plausible key and what carried it: a header's name, or `?key=`."""

    text: str
    carrier: str


class _Carried(Struct, frozen=True, gc=False):
    carrier: str
    text: str  # empty where nothing came, or where `odd` says why it cannot be a key
    odd: str | None


def present(
    headers: list[tuple[bytes, bytes]], query: bytes, key_in_query: bool, known: Callable[[bytes], bool]
) -> Presented:
    """The one key a request carries. `headers` have lower-case names; `known` answers for a SHA-256.

    Of several carriers the one with a key of our form, or a known one, is used; the others are other vendors'
    left-overs. Raises KeyRefused if there is none or it cannot be one, BadRequest for two different keys of ours and
    for a query of too many parameters.
    """
    found = []
    for pair in headers:
        if pair[0] in _CARRIERS:
            found.append(pair)
    read_query = key_in_query and b"key=" in query
    if len(found) == 1 and not read_query and found[0][0] == b"authorization":
        usual = _USUAL.fullmatch(found[0][1])
        if usual is not None:
            return Presented(usual[1].decode("ascii"), "authorization")
    carried = [_from_header(name.decode("ascii"), value) for name, value in found]
    if read_query:
        carried += _from_query(query)
    filled = [each for each in carried if each.text or each.odd]
    if len(filled) == 1 and not filled[0].odd:
        return Presented(filled[0].text, filled[0].carrier)
    if not filled:
        raise KeyRefused(_nothing(carried, query))
    return _one_of(filled, known)


def _one_of(filled: list[_Carried], known: Callable[[bytes], bool]) -> Presented:
    ours: dict[str, str] = {}
    for each in filled:
        if each.text and (parse(each.text) == "ours" or known(digest(each.text))):
            ours.setdefault(each.text, each.carrier)
    if len(ours) > 1:
        names = " and ".join(f"`{carrier}`" for carrier in ours.values())
        raise BadRequest(
            f"Two different API keys of this platform came, in {names}, and it is not clear whose call this is: send"
            " one. A left-over environment variable (such as ANTHROPIC_API_KEY beside ANTHROPIC_AUTH_TOKEN) is the"
            " usual cause."
        )
    for text, carrier in ours.items():
        return Presented(text, carrier)
    said = " ".join(f"What came in `{each.carrier}` {each.odd or why_unknown(each.text)}." for each in filled)
    raise KeyRefused(f"{said} {_HOW}.")


def _nothing(carried: list[_Carried], query: bytes) -> str:
    if carried:
        names = ", ".join(f"`{each.carrier}`" for each in carried)
        return f"{names} came without a key: the variable it is read from is probably empty. {_HOW}."
    if _from_query(query):
        return f"An API key came as `{_QUERY}`, where it is read on Gemini paths only (URLs are logged). {_HOW}."
    return f"No API key came with this request. {_HOW}; `x-api-key`, `api-key` and `x-goog-api-key` are read too."


def _from_header(name: str, value: bytes) -> _Carried:
    text = value.decode("latin-1").strip(" \t")
    if name == "authorization":
        scheme = _BEARER.match(text)
        if scheme is not None:
            text = text[scheme.end() :]
    return _carried(name, text)


def _from_query(query: bytes) -> list[_Carried]:
    try:
        pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True, max_num_fields=FIELDS_MAX)
    except ValueError:
        raise BadRequest(f"The query of this request has more than {FIELDS_MAX} parameters.") from None
    return [_carried(_QUERY, value.strip(" \t")) for name, value in pairs if name == "key"]


def _carried(carrier: str, text: str) -> _Carried:
    odd = odd_form(text)
    return _Carried(carrier, "" if odd else text, odd)
