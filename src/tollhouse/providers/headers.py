"""Which headers a provider gets: ours, the operator's, and of the caller's those on an allow-list. Of a provider's
answer no header passes: what a caller gets is written by the platform."""

from collections.abc import Callable
from typing import Final

from tollhouse.core.catalogue import Provider
from tollhouse.core.upstream import Headers

MakeHeaders = Callable[[str, Provider, Headers], Headers]

FROM_CALLER: Final = frozenset({b"anthropic-beta", b"openai-beta", b"traceparent", b"tracestate"})
"""Opt-ins to features and the trace. Not `openai-organization` and `openai-project`: they would name the caller's own
account at the provider, where the call is made with ours; an operator names ours in the provider's `headers`."""

ANTHROPIC_VERSION: Final = (b"anthropic-version", b"2023-06-01")
"""Without it Anthropic's format is not served. Of callers who speak that format their own goes: it says which shapes
they read; for others it is the one whose shapes `formats/anthropic` writes."""

_OURS: Final = (
    (b"content-type", b"application/json"),
    (b"accept", b"application/json"),  # as the SDKs send it, streaming or not: the body decides
    (b"accept-encoding", b"identity"),
    (b"user-agent", b"tollhouse"),
)
_FRAMING: Final = frozenset(
    {b"host", b"content-length", b"transfer-encoding", b"connection", b"keep-alive", b"te", b"trailer", b"upgrade"}
    | {b"expect", b"proxy-connection", b"proxy-authorization"}
)
"""Written by the upstream client alone; set by an operator they would desynchronise the connection."""


def with_bearer(key: str, provider: Provider, asked: Headers) -> Headers:
    """The headers of a call signed with `Authorization: Bearer KEY`; the provider's own `headers` win over all."""
    headers = list(_OURS)
    if key:
        headers.append((b"authorization", b"Bearer " + key.encode("ascii")))
    for header in asked:
        if header[0] in FROM_CALLER:
            headers.append(header)
    return _overridden(headers, provider.headers) if provider.headers else headers


def with_bearer_and(*usual: tuple[bytes, bytes]) -> MakeHeaders:
    """The same, with headers that are sent where the caller sent none of that name; theirs passes."""
    return with_key_in(b"authorization", b"Bearer ", usual=usual)


def with_key_in(name: bytes, scheme: bytes = b"", *, usual: tuple[tuple[bytes, bytes], ...] = ()) -> MakeHeaders:
    """The headers of a call that carries its key in a header of the vendor's. usual: as of `with_bearer_and`."""
    passing = FROM_CALLER.union(one for one, _ in usual)

    def make_headers(key: str, provider: Provider, asked: Headers) -> Headers:
        headers = list(_OURS)
        if key:
            headers.append((name, scheme + key.encode("ascii")))
        theirs = [header for header in asked if header[0] in passing]
        named = {header[0] for header in theirs}
        headers += [header for header in usual if header[0] not in named]
        headers += theirs
        return _overridden(headers, provider.headers) if provider.headers else headers

    return make_headers


def _overridden(headers: Headers, own: dict[str, str]) -> Headers:
    fixed = [(name.lower().encode("ascii"), value.encode("ascii")) for name, value in own.items()]
    fixed = [header for header in fixed if header[0] not in _FRAMING]
    names = {name for name, _ in fixed}
    return [header for header in headers if header[0] not in names] + fixed
