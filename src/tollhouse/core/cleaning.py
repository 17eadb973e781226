"""A provider's words made fit for a caller: what identifies the operator's upstream goes, all else stays.

Gone: addresses and hosts, keys, ids of organisations, projects, accounts and requests there, mail addresses, names of
pods. Kept: class names, paths of fields, names of files, versions, ids of objects that the caller holds, and whatever
the caller wrote themselves. Of a dotted name that nothing tells (`cleaning_names`) it is the host that is assumed.
"""

import re
from collections.abc import Callable
from typing import Final

from msgspec import Struct

from tollhouse.core.cleaning_names import could_be_host, is_a_name, is_count

REMOVED: Final = "[removed]"
CHARACTERS_MAX: Final = 600
_READ_MAX: Final = 4_000
_ALONE_MAX: Final = 8  # characters of a secret that goes only where it is a word
_NAME_MIN: Final = 6
_ASKED_MAX: Final = 4  # look-ups in the caller's request, each of which reads all of it


def nobodys(text: str) -> bool:
    return False


class Known(Struct, frozen=True, kw_only=True):
    """What of the call tells which words stay. `is_callers`: whether a text stands in the caller's own request.
    `upstream_model` is shown as `model`, by which the caller knows it. `secrets`: the provider's keys and the values of
    its headers, and `hosts`: of its address, which go wherever they stand, whatever they look like."""

    is_callers: Callable[[str], bool] = nobodys
    upstream_model: str = ""
    model: str = ""
    secrets: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()


NOTHING_KNOWN: Final = Known()

_MARKUP = re.compile(
    r"<\s*(?:!doctype|\?xml|/?(?:html|head|body|title|h1|center|pre|div|script|style|br|hr|p)\b)", re.IGNORECASE
)
_URL = re.compile(r"\b[A-Za-z][A-Za-z0-9+.-]{0,15}:/{1,2}[^\s\"'<>`]+", re.ASCII)
_MAIL = re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})+", re.ASCII)
_KEY = re.compile(
    r"\bBearer\s+\S+"
    r"|(?<![A-Za-z0-9])(?:(?:sk|pk|rk|gsk|xai|hf|r8|nvapi|pplx|fw|csk|tgp|key|ak|AKIA|ASIA)[-_]|AIza|AKIA|ASIA|eyJ)"
    r"[A-Za-z0-9][A-Za-z0-9_*.-]{6,}[A-Za-z0-9_*-]",
    re.ASCII,
)
_SECRET = re.compile(
    r"(?<![A-Za-z0-9])(?=[A-Za-z]*[0-9])(?=[0-9]*[A-Za-z])[A-Za-z0-9]{20,}"
    r"|(?<![A-Za-z0-9_-])(?=[A-Za-z_-]*[0-9])(?=[0-9_-]*[A-Za-z])[A-Za-z0-9_-]{32,}"
    r"|(?<![A-Za-z0-9])[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}",
    re.ASCII,
)
_ACCOUNT = re.compile(
    r"\barn:aws[\w-]*:\S+"
    r"|/subscriptions/\S+"
    r"|(?<=projects/)[A-Za-z0-9:._-]+|(?<=project_number:)\d+"
    r"|(?<![A-Za-z0-9])org[-_](?=[A-Za-z0-9]*[0-9A-Z])[A-Za-z0-9]{4,}"
    r"|(?<=organization )org[-_][\w-]+"
    r"|(?<![A-Za-z0-9])(?:proj|wrkspc|req|request|trace|acct|ws)_(?=[A-Za-z]*[0-9])[A-Za-z0-9]{6,}"
    r"|(?<![A-Za-z0-9])gen-\d{8,}-\w+"
    r"|(?<=account )\d{12}\b|(?<=account: )\d{12}\b"
    r"|(?<![A-Za-z0-9-])[a-z][a-z0-9-]*-[a-f0-9]{8,10}-[a-z0-9]{5}(?![\w-])",
    re.ASCII,
)
_REQUEST_ID = re.compile(
    r"((?:request|trace|correlation|ray|log|activity)[ _-]?id['\"]?[:= ]{1,3}['\"]?)"
    r"(?=[A-Za-z_-]*[0-9])[A-Za-z0-9_-]{8,}",
    re.ASCII | re.IGNORECASE,
)
_IPV6 = re.compile(
    r"\[?(?<![\w:.])(?=[0-9A-Fa-f:.]*(?:::|(?::[0-9A-Fa-f]*){3}))[0-9A-Fa-f:.]{2,}(?:%\w+)?(?:\](?::\d+)?|(?![\w:\]]))",
    re.ASCII,
)
_IPV4 = re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w])(?::\d+)?", re.ASCII)
_DOTTED = re.compile(r"(?<![A-Za-z0-9_-])[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)+\.?(?::\d+)?", re.ASCII)
_HOST_AND_PORT = re.compile(
    r"(?<![\w-])[A-Za-z][A-Za-z0-9-]*:\d{4,5}(?!\w)|\blocalhost\b(?::\d+)?", re.ASCII | re.IGNORECASE
)
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\s]+")
_TRAILING: Final = ".,;:!?)]}"
_PUT_BY: Final = "\ue000"


def clean(text: str, known: Known = NOTHING_KNOWN) -> str:
    """One line of at most 600 characters; "" where a page of HTML stood instead of a reason."""
    text = _UNPRINTABLE.sub(" ", text[: _READ_MAX + 1])
    if _MARKUP.search(text):
        return ""
    if len(text) > _READ_MAX:  # not through a word: half a key is no longer seen to be one
        text = text.rpartition(" ")[0]
    text = _Cleaning(known).clean(hide(text, known)).strip()
    return text if len(text) <= CHARACTERS_MAX else text[: CHARACTERS_MAX - 1].rstrip() + "…"


def clean_whole(text: str, known: Known) -> str:
    """The same of a text that is not one line: its form stays. One of more than 4,000 characters goes as a whole."""
    return REMOVED if len(text) > _READ_MAX else _Cleaning(known).clean(hide(text, known))


def hide(text: str, known: Known) -> str:
    """Only what is known to be the upstream's own goes: its secrets, its hosts, the name of its model. For texts whose
    other words are to stay, of any length."""
    text = _without(text, known.secrets)
    for host in known.hosts:
        if "." in host or ":" in host:
            text = re.sub(rf"{re.escape(host)}(?::\d+)?", REMOVED, text, flags=re.IGNORECASE)
        else:  # a name in a private network may be a word like any other
            named = r"(?<=//){0}(?![\w-])|(?<=@){0}(?![\w-])|(?<![\w.-]){0}:\d+|(?<=[Hh]ost[ =:]){0}(?![\w.-])"
            text = re.sub(named.format(re.escape(host)), REMOVED, text, flags=re.IGNORECASE)
    return _as_the_caller_named_it(text, known)


def without_secrets(text: str, known: Known = NOTHING_KNOWN) -> str:
    """For the operator's own eyes: only keys go."""
    text = _without(text[: 2 * _READ_MAX], known.secrets)
    return _SECRET.sub(_secret, _KEY.sub(REMOVED, _UNPRINTABLE.sub(" ", text[:_READ_MAX])))


def _without(text: str, secrets: tuple[str, ...]) -> str:
    """A short secret may be part of a word that says something else, so it goes where it stands alone."""
    for secret in secrets:
        exactly = re.escape(secret)
        alone = exactly if len(secret) >= _ALONE_MAX else rf"(?<!\w){exactly}(?!\w)"
        text = re.sub(alone, REMOVED, text, flags=re.IGNORECASE)
    return text


def _as_the_caller_named_it(text: str, known: Known) -> str:
    """The upstream's model goes by the caller's name for it: with what stands around it (`models/`, a date), and where
    only the last part of its name stands."""
    upstream, model = known.upstream_model, known.model
    if not upstream or upstream == model:
        return text
    last = upstream.rpartition("/")[2]
    names = {upstream, last} if len(last) >= _NAME_MIN else {upstream}
    callers = rf"{re.escape(model)}(?!\w|[-@:./]\w)|" if model else ""
    either = "|".join(_named(name) for name in sorted(names - {model}, key=len, reverse=True))
    return re.sub(rf"(?<![\w.-])(?:{callers}{either})", lambda _: model or REMOVED, text, flags=re.IGNORECASE)


def _named(name: str) -> str:
    """A short name may be a word, so nothing beside it goes along."""
    exactly = re.escape(name)
    return rf"(?:[\w.-]+/)?{exactly}(?!\w)(?:[-@:]\w+(?:\.\w+)*)*" if len(name) >= _NAME_MIN else rf"{exactly}(?!\w)"


class _Cleaning:
    """One text. What the caller wrote is put by while the rest is cleaned, and then back in its place."""

    def __init__(self, known: Known) -> None:
        self._known = known
        self._asked = 0
        self._kept: list[str] = []

    def clean(self, text: str) -> str:
        text = text.replace(_PUT_BY, " ")
        text = _URL.sub(self._url, text)
        text = _MAIL.sub(self._or_callers, text)
        text = _KEY.sub(REMOVED, text)
        text = _REQUEST_ID.sub(rf"\1{REMOVED}", text)
        text = _ACCOUNT.sub(REMOVED, text)
        text = _SECRET.sub(_secret, text)
        text = _IPV6.sub(REMOVED, text)
        text = _IPV4.sub(self._or_callers, text)
        text = _DOTTED.sub(self._dotted, text)
        text = _HOST_AND_PORT.sub(_host_and_port, text)
        kept = iter(self._kept)
        return re.sub(_PUT_BY, lambda _: next(kept), text)

    def _url(self, match: re.Match[str]) -> str:
        url = match[0].rstrip(_TRAILING)
        rest = match[0][len(url) :]
        if not self._is_callers(url):
            return REMOVED + rest
        self._kept.append(url)
        return _PUT_BY + rest

    def _or_callers(self, match: re.Match[str]) -> str:
        return match[0] if self._is_callers(match[0]) else REMOVED

    def _dotted(self, match: re.Match[str]) -> str:
        name, _, port = match[0].partition(":")
        if not could_be_host(name.rstrip("."), has_port=bool(port)) or self._is_callers(name.rstrip(".")):
            return match[0]
        return REMOVED

    def _is_callers(self, text: str) -> bool:
        if self._known.is_callers is nobodys or self._asked >= _ASKED_MAX:
            return False
        self._asked += 1
        return self._known.is_callers(text)


def _secret(match: re.Match[str]) -> str:
    before = match.string[max(0, match.start() - 12) : match.start()]
    return match[0] if is_a_name(match[0], before) else REMOVED


def _host_and_port(match: re.Match[str]) -> str:
    return match[0] if is_count(match[0].partition(":")[0]) else REMOVED
