"""Step 2, the first part: which call an address means, and what is wrong with it."""

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote, urlsplit

from msgspec import Struct

from tollhouse.checklist.steps import Trouble
from tollhouse.core.operation import Operation
from tollhouse.core.phrase import Phrase
from tollhouse.core.spelling import alike

ENDPOINT_MAX: Final = 2_000
OPERATIONS: Final[Mapping[str, Operation]] = {
    "/v1/chat/completions": "chat",
    "/v1/completions": "completions",
    "/v1/responses": "responses",
    "/v1/embeddings": "embeddings",
    "/v1/moderations": "moderations",
    "/v1/messages": "chat",
    "/v1/rerank": "rerank",
    "/v1/images/generations": "images",
    "/v1/audio/speech": "speech",
}
"""Calls by their paths; a test compares them with those that are served."""
_FORMATS: Final[Mapping[str, str]] = {"/v1/messages": "anthropic"}
_OPENAI: Final = "openai"
_GEMINI: Final = re.compile(r"/v1beta/models/([^:?]{1,500}):(?:g|streamG)enerateContent")
_LOOKED_AT: Final = ("/v1/models", "/v1/key", "/v1beta/models")
_METHOD: Final = re.compile(r"\s*(GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS)\s+", re.IGNORECASE)
_ALIKE: Final = 0.72
_VENDORS: Final = (
    *("api.openai.com", "openai.azure.com", "api.anthropic.com", "generativelanguage.googleapis.com"),
    *("openrouter.ai", "api.deepseek.com", "api.groq.com", "api.mistral.ai", "dashscope.aliyuncs.com", "api.x.ai"),
)


class ReadAddress(Struct, frozen=True):
    """`operation`: None where it is no call that has a body. `path`: as this platform would serve it. `format`: of its
    body. `model`: where the path names it; else empty."""

    path: str = ""
    operation: Operation | None = None
    trouble: Trouble | None = None
    format: str = _OPENAI
    model: str = ""


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
    return _of_path(path, method[1].upper() if method else "", public_url)


def _of_path(path: str, method: str, public_url: str) -> ReadAddress:
    plain = canonical(path)
    if plain in ("", "/", "/v1"):  # a base URL: the library adds the rest
        return ReadAddress(plain)
    asked = _GEMINI.fullmatch(plain)
    operation: Operation | None = OPERATIONS.get(plain) if asked is None else "chat"
    written = _FORMATS.get(plain, _OPENAI) if asked is None else "gemini"
    if operation is not None:
        trouble = None
        if method not in ("", "POST"):
            reason = Phrase("`%(path)s` takes POST, not %(method)s.", path=plain[:80], method=method)
            cure = Phrase("Send it with POST. A redirect from http to https, or a browser, turns a POST into a GET.")
            trouble = Trouble(reason, cure, "method_not_allowed")
        return ReadAddress(plain, operation, trouble, written, "" if asked is None else asked[1])
    if plain.startswith(_LOOKED_AT):
        return ReadAddress(plain)
    return ReadAddress(plain, None, _unknown(path, public_url))


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
    for served in OPERATIONS:
        if served in plain or served[3:] in plain:
            reason = Phrase("There is no `%(path)s` here: something stands before or behind `%(served)s`.", path=shown,
                            served=served)  # fmt: skip
            return Trouble(reason, _base(public_url), "not_found")
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
        _base(public_url),
        "invalid_api_key",
    )


def _base(public_url: str) -> Phrase:
    base = f"{public_url.rstrip('/').removesuffix('/v1')}/v1" if public_url else "https://HOST/v1"
    return Phrase("Set the base URL to `%(base)s`: libraries add `/chat/completions` and the like to it.", base=base)
