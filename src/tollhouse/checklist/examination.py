"""What can be told of what people pasted without asking anybody: the pure part of all five steps at once."""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from tollhouse.access.exposed import REDACTED, key_in
from tollhouse.checklist.endpoint import ENDPOINT_MAX, read_endpoint
from tollhouse.checklist.error_text import ERROR_MAX, judge_error
from tollhouse.checklist.heads import read_headers
from tollhouse.checklist.key import KEY_MAX, TypedKey, read_key
from tollhouse.checklist.model import MODEL_MAX
from tollhouse.checklist.request import BODY_MAX, ReadRequest, read_request
from tollhouse.checklist.steps import ChecklistStep, ExposedKey
from tollhouse.core.codec import Codec, CodecKey
from tollhouse.core.model_request import InputBounds
from tollhouse.core.phrase import Phrase

HEADERS_MAX: Final = 32_000
SIZES: Final[Mapping[str, int]] = {
    "api_key": KEY_MAX,
    "endpoint": ENDPOINT_MAX,
    "headers": HEADERS_MAX,
    "body": BODY_MAX,
    "model": MODEL_MAX,
    "error": ERROR_MAX,
}
"""Characters that each field takes."""
_CARRIERS: Final = ("authorization", "x-api-key", "api-key", "x-goog-api-key")


class Pasted(Struct, frozen=True, kw_only=True):
    """What somebody gave; None and the empty text: nothing. Never written down."""

    api_key: str | None = None
    endpoint: str = ""
    headers: Mapping[str, str] | str = ""
    body: str | None = None
    model: str = ""
    error: str = ""

    @property
    def length(self) -> int:
        return sum(map(len, (self.endpoint, str(self.headers), self.body or "", self.model, self.error)))


class Examined(Struct, frozen=True, kw_only=True):
    """`key`: None where none was given at all. `request`: with its bounds, where it could be read. `model`: the name
    that is to be looked for; empty: none was given. `user_agent`: of the library that sent it; may be empty."""

    key: TypedKey | None
    request: ReadRequest
    bounds: InputBounds | None
    model: str
    error: ChecklistStep
    exposed: tuple[ExposedKey, ...] = ()
    user_agent: str = ""


def examine(pasted: Pasted, codecs: Mapping[CodecKey, Codec], public_url: str) -> Examined:
    headers = read_headers(pasted.headers)
    request = read_request(pasted.endpoint, headers, pasted.body, codecs, public_url)
    bounds = None
    if request.request is not None and request.operation is not None:
        bounds = codecs[request.format, request.operation].input_bounds(request.request)
    return Examined(
        key=_key(pasted, headers, read_endpoint(pasted.endpoint, public_url).key),
        request=request,
        bounds=bounds,
        model=(pasted.model or request.model)[:MODEL_MAX],
        error=judge_error(pasted.error, public_url),
        exposed=tuple(_exposed(pasted)),
        user_agent=headers.get("user-agent", ""),
    )


def _key(pasted: Pasted, headers: Mapping[str, str], in_query: str) -> TypedKey | None:
    """The field goes before the headers, and they before the query; what is odd about the headers is told all the same,
    for they are what is sent. What was taken out of them for showing them says nothing."""
    carried = [f"{name}: {headers[name]}" for name in _CARRIERS if name in headers]
    carried += [f"{_CARRIERS[-1]}: {in_query}"] if in_query else []
    shown = [text for text in carried if REDACTED not in text and "***" not in text and "$" not in text]
    in_headers = read_key(shown[0]) if shown else None
    if pasted.api_key is None or not pasted.api_key.strip():
        if pasted.api_key is None and not headers and not carried:
            return None
        if in_headers is None and carried:
            return read_key(carried[0])
        return in_headers or read_key("")
    typed = read_key(pasted.api_key)
    if typed.trouble is None and in_headers is not None and in_headers.trouble is not None:
        return in_headers
    return typed


def _exposed(pasted: Pasted) -> list[ExposedKey]:
    found = []
    for field in ("endpoint", "headers", "body", "model", "error"):
        given = getattr(pasted, field)
        text = (
            given if isinstance(given, str) else "\n".join(f"{name}: {value}" for name, value in (given or {}).items())
        )
        whose = key_in(text)
        if whose is not None:
            found.append(
                ExposedKey(
                    field=field,
                    whose=Phrase(whose) if whose == "this platform" else whose,
                    cure=_ROTATE if whose == "this platform" else _REPLACE,
                )
            )
    return found


_ROTATE: Final = Phrase(
    "A whole API key stands in it. Whoever reads such a text can use the key: rotate it on the page API keys, or with"
    " `tollhouse keys rotate`. Nothing of it was kept here."
)
_REPLACE: Final = Phrase(
    "A whole API key of another service stands in it. Whoever reads such a text can use the key: replace it there."
    " Nothing of it was kept here."
)
