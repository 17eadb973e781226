"""Step 2, the first part: which call an address means, and what is wrong with it."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

from msgspec import Struct, structs

from tollhouse.checklist.steps import Trouble
from tollhouse.core.dialect import Action
from tollhouse.core.operation import Operation
from tollhouse.core.phrase import Phrase
from tollhouse.core.spelling import alike
from tollhouse.formats import dialects

ENDPOINT_MAX: Final = 2_000
OPERATIONS: Final[Mapping[str, Operation]] = {
    "/v1/chat/completions": "chat",
    "/v1/completions": "completions",
    "/v1/responses": "responses",
    "/v1/embeddings": "embeddings",
    "/v1/moderations": "moderations",
    "/v1/messages": "chat",
    "/v1/messages/count_tokens": "chat",
    "/v1/rerank": "rerank",
    "/v1/images/generations": "images",
    "/v1/audio/speech": "speech",
    "/v1/images/edits": "image_edits",
    "/v1/images/variations": "image_variations",
    "/v1/audio/transcriptions": "transcriptions",
    "/v1/audio/translations": "translations",
}
"""Calls by their paths; a test compares them with those that are served."""
_FORMATS: Final[Mapping[str, str]] = {"/v1/messages": "anthropic", "/v1/messages/count_tokens": "anthropic"}
_OPENAI: Final = "openai"
_ITEMS: Final = ("/v1beta/models/", "/v1/models/")
_GONE: Final[Mapping[str, str]] = {"/v1/complete": "/v1/messages"}
"""Paths of vendors' old APIs, by those that took their place."""
_LOOKED_AT: Final = ("/v1/models", "/v1/key", "/v1beta/models")
_METHOD: Final = re.compile(r"\s*(GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS)\s+", re.IGNORECASE)
_ALIKE: Final = 0.72
_VENDORS: Final = (
    *("api.openai.com", "openai.azure.com", "api.anthropic.com", "generativelanguage.googleapis.com"),
    *("openrouter.ai", "api.deepseek.com", "api.groq.com", "api.mistral.ai", "dashscope.aliyuncs.com", "api.x.ai"),
)
_SPEAKS: Final[Mapping[str, str]] = {
    "api.anthropic.com": "anthropic",
    "generativelanguage.googleapis.com": "gemini",
}


@cache
def _actions() -> Mapping[str, tuple[str, Action]]:
    """What may be asked of a model behind a colon, with its format."""
    return {name: (spec.name, asked) for spec in dialects().values() for name, asked in spec.actions.items()}


class ReadAddress(Struct, frozen=True):
    """`operation`: None where it is no call that has a body. `path`: as this platform would serve it. `format`: of its
    body. `model`: where the path names it; else empty. `counts`: the tokens of a call are asked for. `key`: of the
    query, where the format has one there."""

    path: str = ""
    operation: Operation | None = None
    trouble: Trouble | None = None
    format: str = _OPENAI
    model: str = ""
    counts: bool = False
    key: str = ""


def read_endpoint(given: str, public_url: str) -> ReadAddress:
    """An address as people write it: with its method, its host, or as a path alone. public_url: of this platform."""
    text = given.strip()[:ENDPOINT_MAX]
    method = _METHOD.match(text)
    text = text[method.end() :] if method else text
    try:
        parts = urlsplit(text if "://" in text or text.startswith("/") else f"//{text}")
        host, path = parts.hostname or "", unquote(parts.path)
    except ValueError:
        reason = Phrase("The address cannot be read.")
        return ReadAddress(trouble=Trouble(reason, _base(public_url), "not_found"))
    elsewhere = _elsewhere(host, public_url)
    if elsewhere is not None:
        return ReadAddress(trouble=elsewhere)
    found = _of_path(path, method[1].upper() if method else "", public_url)
    return structs.replace(found, key=_key_of(parts.query)) if dialects()[found.format].key_in_query else found


def _of_path(path: str, method: str, public_url: str) -> ReadAddress:
    plain = canonical(path)
    if plain in ("", "/", "/v1"):  # a base URL: the library adds the rest
        return ReadAddress(plain)
    operation = OPERATIONS.get(plain)
    if operation is not None:
        counts = plain.endswith("/count_tokens")
        written = _FORMATS.get(plain, _OPENAI)
        return ReadAddress(plain, operation, _of_method(plain, method), written, counts=counts)
    action = _of_action(plain, method)
    if action is not None:
        return action
    if plain.startswith(_LOOKED_AT):
        return ReadAddress(plain)
    return ReadAddress(plain, None, _unknown(path, public_url))


def _of_method(path: str, method: str) -> Trouble | None:
    if method in ("", "POST"):
        return None
    reason = Phrase("`%(path)s` takes POST, not %(method)s.", path=path[:80], method=method)
    cure = Phrase("Send it with POST. A redirect from http to https, or a browser, turns a POST into a GET.")
    return Trouble(reason, cure, "method_not_allowed")


def _of_action(path: str, method: str) -> ReadAddress | None:
    """Of a path that asks a model for something; None: it does not."""
    start = next((start for start in _ITEMS if path.startswith(start)), "")
    model, _, name = path[len(start) :].rpartition(":")
    if not start or not model:
        return None
    if name in _actions():
        written, asked = _actions()[name]
        if asked.operation is not None:
            return ReadAddress(path, asked.operation, _of_method(path, method), written, model, asked.counts)
        reason = Phrase("`%(name)s` is not offered here.", name=name)
        return ReadAddress(path, None, Trouble(reason, Phrase("Ask for `generateContent`."), "not_found"), written)
    offered = [known for known, (_, asked) in _actions().items() if asked.operation is not None]
    near = max(offered, key=lambda known: alike(name[:60], known))
    if method != "POST" and alike(name[:60], near) < _ALIKE:  # an id of a model may have a colon
        return None
    reason = Phrase("Nothing is called `%(name)s` that could be asked of a model.", name=name[:40])
    cure = Phrase("Call `%(near)s` instead.", near=f"{start}{model[:60]}:{near}")
    return ReadAddress(path, None, Trouble(reason, cure, "not_found"), _actions()[near][0])


def _key_of(query: str) -> str:
    return next((value for name, value in parse_qsl(query) if name == "key"), "")


def canonical(path: str) -> str:
    """As the listener repairs it: doubled slashes, a doubled or missing `/v1`, a slash at the end."""
    while "//" in path:
        path = path.replace("//", "/")
    while path.startswith("/v1/v1/"):
        path = path[3:]
    if f"/v1{path.rstrip('/')}" in OPERATIONS:
        path = f"/v1{path}"
    return path.rstrip("/") if len(path) > 1 else path


def _unknown(path: str, public_url: str) -> Trouble:
    plain = canonical(path)
    shown = plain[:80]
    for served in (*OPERATIONS, *(f":{name}" for name in _actions())):
        if served in plain or (served[0] == "/" and served[3:] in plain):
            written = _actions()[served[1:]][0] if served[0] == ":" else _FORMATS.get(served, _OPENAI)
            reason = Phrase("There is no `%(path)s` here: something stands before or behind `%(served)s`.", path=shown,
                            served=f"/v1beta/models/MODEL{served}" if served[0] == ":" else served)  # fmt: skip
            return Trouble(reason, _base(public_url, written), "not_found")
    if plain in _GONE:
        cure = Phrase("Call `%(near)s` instead.", near=_GONE[plain])
        return Trouble(Phrase("There is no `%(path)s` here.", path=shown), cure, "not_found")
    near = max(OPERATIONS, key=lambda served: alike(plain, served))
    if alike(plain, near) >= _ALIKE:
        cure = Phrase("Call `%(near)s` instead.", near=near)
        return Trouble(Phrase("There is no `%(path)s` here.", path=shown), cure, "not_found")
    return Trouble(Phrase("There is no `%(path)s` here.", path=shown), _base(public_url), "not_found")


def _elsewhere(host: str, public_url: str) -> Trouble | None:
    """The call goes to another service: a library that was not told the base URL, as often."""
    ours = (urlsplit(public_url).hostname or "") if public_url else ""
    if not host or host == ours or not any(host == one or host.endswith(f".{one}") for one in _VENDORS):
        return None
    return Trouble(
        Phrase("The call goes to `%(host)s`, not to this platform, which does not know keys of ours.", host=host[:80]),
        _base(public_url, _SPEAKS.get(host, _OPENAI)),
        "invalid_api_key",
    )


def _base(public_url: str, written: str = _OPENAI) -> Phrase:
    """written: the format of the libraries that call."""
    bare = public_url.rstrip("/").removesuffix("/v1") if public_url else "https://HOST"
    if written != _OPENAI:
        return Phrase(
            "Set the base URL to `%(base)s`, without `/v1`: libraries of this vendor add the rest.", base=bare
        )
    base = f"{bare}/v1"
    return Phrase("Set the base URL to `%(base)s`: libraries add `/chat/completions` and the like to it.", base=base)
