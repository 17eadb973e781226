"""What a kind of provider is: everything that is the same for all providers of that kind."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, Protocol

from msgspec import Struct

from tollhouse.core.catalogue import Provider, TextFormat
from tollhouse.core.cleaning import NOTHING_KNOWN, Known
from tollhouse.core.failure import Failure
from tollhouse.core.operation import Operation
from tollhouse.core.upstream import Headers
from tollhouse.routing.health import Blame

CAPS: Final[Mapping[Operation, tuple[str, ...]]] = MappingProxyType(
    {
        "chat": ("max_tokens", "max_completion_tokens"),
        "completions": ("max_tokens",),
        "responses": ("max_output_tokens",),
    }
)
"""Every name by which some server of the OpenAI format reads a cap. Of a chat's two, older servers read only the first,
newer ones prefer the second, and what a server does not read it ignores: so both are sent."""


class Fault(Struct, frozen=True, kw_only=True):
    """What an error answer of a provider means. `retry_after_ms`: as the provider said it; None if it said nothing.
    `words`: the provider's own, for the operator alone; empty where they could mend nothing."""

    failure: Failure  # what the caller reads if nobody else can answer
    blame: Blame
    retry_after_ms: int | None = None
    words: str = ""


class ReadError(Protocol):
    """Reads an answer that is not what was asked for. `known`: what of the call tells which words the caller may see.
    A status below 400 means that the body hides an error, or that the answer is none."""

    def __call__(
        self, operation: Operation, status: int, headers: Headers, body: bytes, known: Known = NOTHING_KNOWN, /
    ) -> Fault: ...


class Kind(Struct, frozen=True, kw_only=True):
    """`make_headers(key, provider, asked)` signs a call: `key` is one of the provider's secrets or "", `asked` the
    caller's own headers, of which few pass. `read_error`: see `ReadError`."""

    name: str
    title: str  # for people
    speaks: tuple[TextFormat, ...]
    paths: Mapping[Operation, str]  # below the base URL, each with its slash
    make_headers: Callable[[str, Provider, Headers], Headers]
    read_error: ReadError
    caps: Mapping[Operation, tuple[str, ...]] = CAPS  # the members that cap the output, each of which is sent
    base_url: str = ""  # where such a provider stands if the operator names no address; empty: one must be named
    needs_api_key: bool = True
    in_process: bool = False  # answered by the simulator, without a network

    def target(self, operation: Operation) -> str:
        return self.paths[operation]

    def headers(self, key: str, provider: Provider, asked: Headers) -> Headers:
        return self.make_headers(key, provider, asked)
