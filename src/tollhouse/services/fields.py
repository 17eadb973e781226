"""What a field may hold. Each function gives the value as it is stored, or raises BadRequest naming the field."""

import re
import zoneinfo
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tollhouse.access.exposed import exposed
from tollhouse.access.networks import read_network
from tollhouse.access.redaction import redact
from tollhouse.billing.prices import BadPrice, read_multiplier
from tollhouse.core.account import Scope
from tollhouse.core.amount import BadAmount, parse_usd
from tollhouse.core.catalogue import Catalogue, Plan
from tollhouse.core.failure import BadRequest
from tollhouse.core.fields import Fields
from tollhouse.core.ids import time_of
from tollhouse.core.phrase import Phrase
from tollhouse.core.spelling import nearest
from tollhouse.core.ticket import SUBJECT_MAX

NAME_MAX = 200
REASON_MAX = 500
LIST_MAX = 200
MAIL_MAX = 254
TAGS_MAX = 16
TAG_MAX = 100
_NAMED_MAX = 12
MULTIPLIER_PPM_MAX = 1_000_000_000

_EMAIL = re.compile(r"[^\s@<>\"',;:()\[\]\\]{1,64}@[^\s@<>\"',;:()\[\]\\]{1,190}")
_ID = re.compile(r"[a-z]{2,8}_[a-z2-7]{26}")
_IN_PROSE = frozenset("\n\t\u200c\u200d")  # joiners: some scripts and emoji are made with them
_SCOPES: tuple[Scope, ...] = ("inference", "usage")


def kept(kind: type[Fields], given: Fields, **checked: object) -> dict[str, Any]:
    """The fields of a noun as its record keeps them: those that were checked, and any other as it was given, where text
    holds no API key. How long text may be, the type of the field says."""
    for param in kind.__struct_fields__:
        if param not in checked and isinstance(text := getattr(given, param), str):
            without_key(text, param)
    return {param: getattr(given, param) for param in kind.__struct_fields__} | checked


def name(text: str, param: str = "name") -> str:
    """1 to 200 printable characters, blanks around them dropped; nothing that would be taken for the id of another."""
    line = _line(text.strip(), param, NAME_MAX)
    if time_of(line) is not None and _ID.fullmatch(line) is not None:
        raise BadRequest(
            Phrase("%(param)s: this looks like an id, and would be taken for one", param=param), param=param
        )
    return line


def note(text: str) -> str:
    """As a name; or nothing."""
    return name(text, "note") if text.strip() else ""


def reason(text: str | None) -> str | None:
    return None if text is None or not text.strip() else _line(text.strip(), "reason", REASON_MAX)


def subject(text: str) -> str:
    """One line, without secrets."""
    return redact(_line(text.strip(), "subject", SUBJECT_MAX)).text


def prose(text: str, param: str, length_max: int) -> str:
    """What people write in lines of their own: signs that do not print are left out, and so is any secret that is no
    API key; with one of those it is refused."""
    _require_short(text, param, length_max)
    lines = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    clean = "".join(letter for letter in lines if letter.isprintable() or letter in _IN_PROSE)
    if not clean.strip():
        raise BadRequest(Phrase("%(param)s: this is empty", param=param), param=param)
    return redact(without_key(clean, param)).text


def email(text: str, param: str = "email") -> str:
    if _EMAIL.fullmatch(text.strip()) is None or not text.strip().isprintable() or "=?" in text:
        raise BadRequest(
            Phrase("%(param)s: %(given)s is no mail address", param=param, given=repr(text[:60])), param=param
        )
    return _line(text.strip(), param, MAIL_MAX)


def zone(text: str) -> str:
    if text == "UTC":
        return text  # also where the system has no time zones
    try:
        if not text[:1].isupper():  # `localtime`, `posixrules`, `right/...` are files of the system, and no places
            raise ValueError(text)
        zoneinfo.ZoneInfo(text)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise BadRequest(
            Phrase("zone: %(given)s is no time zone; write it as Europe/Zurich", given=repr(text[:60])), param="zone"
        ) from None
    return text


def plan(text: str, catalogue: Catalogue) -> Plan:
    """A plan of the catalogue; `default` is there even if nobody wrote it down."""
    known = {"default": Plan(id="default"), **catalogue.plans}
    if text not in known:
        raise BadRequest(
            Phrase("plan: %(given)s is unknown; %(cure)s", given=repr(text[:60]), cure=_known(text, known)),
            param="plan",
        )
    return known[text]


def credit_limit(text: str) -> int | None:
    """Nano-USD; None: unlimited."""
    if text == "unlimited":
        return None
    try:
        return parse_usd(text)
    except BadAmount as error:
        raise BadRequest(
            Phrase("credit_limit_usd: %(reason)s, or `unlimited`", reason=error.args[0]), param="credit_limit_usd"
        ) from None


def amount(text: str, param: str, *, zero: bool = False) -> int:
    """Nano-USD, exactly as written; more than 0 unless `zero` is allowed."""
    try:
        found = parse_usd(text)
    except BadAmount as error:
        raise BadRequest(Phrase("%(param)s: %(reason)s", param=param, reason=error.args[0]), param=param) from None
    if not found and not zero:
        raise BadRequest(Phrase("%(param)s: write more than 0", param=param), param=param)
    return found


def price_list(text: str, known: Iterable[str]) -> str:
    """A list that has prices: one that is misspelt would sell everything by the default one."""
    lists = sorted(known)
    if text not in lists:
        raise BadRequest(
            Phrase("price_list: %(given)s has no prices; %(cure)s", given=repr(text[:60]), cure=_known(text, lists)),
            param="price_list",
        )
    return text


def _known(text: str, known: Iterable[str]) -> str:
    """All of them where they are few, else the nearest."""
    names = sorted(known)
    if len(names) <= _NAMED_MAX:
        return (
            Phrase("there is %(known)s", known=names[0])
            if len(names) == 1
            else Phrase("there are %(known)s", known=", ".join(names))
        )
    return Phrase("the nearest known one is %(known)s", known=nearest(text[:60], names))


def multiplier(text: str) -> int:
    """Millionths: `1.2` is 1_200_000."""
    try:
        found = read_multiplier(text)
    except BadPrice as error:
        raise BadRequest(
            Phrase("%(param)s: %(reason)s", param="multiplier", reason=error.reason), param="multiplier"
        ) from None
    if found > MULTIPLIER_PPM_MAX:
        raise BadRequest(Phrase("multiplier: %(given)s is more than 1000", given=text[:40]), param="multiplier")
    return found


def groups(texts: Sequence[str]) -> tuple[str, ...]:
    """Of models, as models and plans name them."""
    return _few([_line(text.strip(), "groups", TAG_MAX) for text in texts], "groups")


def expiry(at_ms: int | None, now_ms: int) -> int | None:
    """Unix milliseconds in the future, before the year 10000."""
    if at_ms is not None and not now_ms < at_ms < 253_402_300_800_000:
        raise BadRequest("expires: this is not in the future", param="expires")
    return at_ms


def scopes(texts: Sequence[str]) -> tuple[Scope, ...]:
    for text in texts:
        if text not in _SCOPES:
            raise BadRequest(
                Phrase(
                    "scopes: %(given)s is unknown; there are %(known)s", given=repr(text[:60]), known=", ".join(_SCOPES)
                ),
                param="scopes",
            )
    if not texts:
        raise BadRequest("scopes: a key without a scope could do nothing", param="scopes")
    return tuple(scope for scope in _SCOPES if scope in texts)


def models(texts: Sequence[str]) -> tuple[str, ...]:
    """Exact ids or `prefix*`. A model need not be there yet."""
    return _few([pattern(text, "models") for text in texts], "models")


def pattern(text: str, param: str = "model") -> str:
    """An exact id, or `prefix*`: a star stands at the end only."""
    _line(text, param, NAME_MAX)
    if "*" in text[:-1]:
        raise BadRequest(
            Phrase(
                "%(param)s: %(given)s: a star stands at the end only, as in gpt-4*", param=param, given=repr(text[:60])
            ),
            param=param,
        )
    return text


def networks(texts: Sequence[str]) -> tuple[str, ...]:
    return _few([str(read_network(text)) for text in texts], "networks")


def tags(pairs: Mapping[str, str]) -> dict[str, str]:
    if len(pairs) > TAGS_MAX:
        raise BadRequest(
            Phrase(
                "%(param)s: %(count)s are too many; at most %(most)s", param="tags", count=len(pairs), most=TAGS_MAX
            ),
            param="tags",
        )
    for tag, value in pairs.items():
        _line(tag, "tags", TAG_MAX)
        if "=" in tag or "," in tag or "," in value:
            raise BadRequest(
                Phrase("tags: %(given)s: a name holds no = or comma, a value no comma", given=repr(tag[:60])),
                param="tags",
            )
        if value:
            _line(value, "tags", TAG_MAX)
    return dict(pairs)


def _line(text: str, param: str, length_max: int) -> str:
    if not text:
        raise BadRequest(Phrase("%(param)s: this is empty", param=param), param=param)
    _require_short(text, param, length_max)
    if not text.isprintable():
        raise BadRequest(Phrase("%(param)s: this holds a character that does not print", param=param), param=param)
    return without_key(text, param)


def _require_short(text: str, param: str, length_max: int) -> None:
    if len(text) > length_max:
        raise BadRequest(
            Phrase(
                "%(param)s: %(count)s characters are too many; at most %(most)s",
                param=param,
                count=len(text),
                most=length_max,
            ),
            param=param,
        )


def without_key(text: str, param: str) -> str:
    """What is kept in the clear holds no API key of anybody."""
    words = exposed(text)
    if words is not None:
        raise BadRequest(Phrase("%(param)s: %(reason)s", param=param, reason=words), param=param)
    return text


def _few(texts: Iterable[str], param: str) -> tuple[str, ...]:
    few = tuple(dict.fromkeys(texts))
    if len(few) > LIST_MAX:
        raise BadRequest(
            Phrase("%(param)s: %(count)s are too many; at most %(most)s", param=param, count=len(few), most=LIST_MAX),
            param=param,
        )
    return few
