"""What a kind of provider is: everything that is the same for all providers of that kind."""

from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType
from typing import Final, Literal, Protocol, get_args

from msgspec import Struct, structs

from tollhouse.core.catalogue import Provider, TextFormat
from tollhouse.core.cleaning import NOTHING_KNOWN, Known
from tollhouse.core.failure import Failure
from tollhouse.core.operation import Operation, is_served
from tollhouse.core.upstream import Headers, UpstreamRequest
from tollhouse.providers.api_keys import check_api_key
from tollhouse.providers.credentials import Credential, Refresh
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


class RefusedMembers(Struct, frozen=True, kw_only=True):
    """Members for which an endpoint refuses a call, though no answer depends on them, or though it reads them by
    another name: each with that name, or with "" for none. Of the body, of each message, and of the parts of messages,
    of a system prompt and of tools. `inside`: of a member of such parts, which of its own members."""

    body: Mapping[str, str] = {}
    messages: Mapping[str, str] = {}
    parts: Mapping[str, str] = {}
    inside: Mapping[str, Collection[str]] = {}


EXAMPLE: Final = "https://provider.example/v1"


def any_address(host: str, path: str) -> str | None:
    return None


class UpstreamTarget(Struct, frozen=True):
    """Where one operation is asked for. `path`: below the base URL, with its slash, its query if any, and everything
    percent-encoded that needs it. `format`: the wire format spoken there, by the name of its codec. `members`: of the
    body, where this endpoint wants others than the format's own: JSON, or None for one that is left out. `listed`: of
    those, members that list what a header of the call names, where the endpoint does not read that header. `refused`:
    what is taken out of a body for this endpoint, and named to the caller. `filled`: by a list in the body, a member
    (and its JSON) that each object there gets that lacks it."""

    path: str
    format: str
    method: bytes = b"POST"
    members: Mapping[str, bytes | None] = {}
    listed: Mapping[str, bytes] = {}
    refused: RefusedMembers | None = None
    filled: Mapping[str, tuple[str, bytes]] = {}


class ChooseTarget(Protocol):
    """Gives the endpoint for an operation of a provider that speaks these formats, the one it prefers first; None where
    none of them serves it. A conversation (chat, responses, completions) is served by each of them.

    `model` is what the provider calls it, as the operator wrote it: any text.
    """

    def __call__(
        self, operation: Operation, model: str, stream: bool, speaks: Collection[TextFormat], /
    ) -> UpstreamTarget | None: ...


class Sign(Protocol):
    """Gives the headers to send, all of them: those of `call`, and what signs it.

    `call` is ready but for its signature: route, method, target, headers, and the body in its pieces (`call.body`,
    then `call.rest`), which are read and not changed; `body_hash.hash_body` reads a long one in turns with other calls.
    `now_ms`: Unix milliseconds.
    """

    async def __call__(self, credential: Credential, call: UpstreamRequest, now_ms: int, /) -> Headers: ...


class Framing(Protocol):
    """Undoes the framing of a stream that is none of server-sent events: takes pieces cut anywhere, gives events.

    Raises UpstreamBroke where the framing is damaged, and at `finish` where it ends in the middle.
    """

    def feed(self, data: bytes, /) -> bytes: ...

    def finish(self) -> None: ...


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
    """`make_headers(key, provider, asked)` writes the headers of a call: `key` is one of the provider's secrets or "",
    `asked` the caller's own headers, of which few pass. `translated_to(model)` is the format in which a call is best
    asked that came in one which the provider does not speak; None: the first that serves it. A kind whose signature
    depends on the body, the time or a token has `sign` besides, which gets those headers. For the others see their
    protocols."""

    name: str
    title: str  # for people
    speaks: tuple[TextFormat, ...]  # unless the provider's own `speaks` says otherwise
    target: ChooseTarget
    make_headers: Callable[[str, Provider, Headers], Headers]
    read_error: ReadError
    sign: Sign | None = None  # None: the headers are sent as they are made
    refresh: Refresh | None = None  # gets a token for a key; only with `sign`, which reads it
    translated_to: Callable[[str], TextFormat | None] | None = None
    caps: Mapping[Operation, tuple[str, ...]] = CAPS  # the members that cap the output, each of which is sent
    output_caps: tuple[Literal["max_tokens", "max_completion_tokens"], ...] = ()  # the only ones it takes, of a chat
    reports_stream_usage: bool = True  # False: it refuses to be asked for it, or need not be
    streams_only: bool = False
    buffers_only: bool = False
    models_path: str = "/models"  # what `providers check` asks for, with GET; empty: it has no list of its models
    check_key: Callable[[str], str | None] = check_api_key  # what is wrong with a key as it is written; never tells it
    framings: Mapping[bytes, Callable[[], Framing]] = {}  # of streams that are no server-sent events, by content type
    base_url: str = ""  # where such a provider stands if the operator names no address; empty: one must be named
    example: str = EXAMPLE  # how an address is written, of a kind that has none of its own
    check_address: Callable[[str, str], str | None] = any_address  # host and path -> what is wrong with them
    base_path: Callable[[str], str] | None = None  # the path of a written base URL -> what stands before `target`'s
    needs_api_key: bool = True
    in_process: bool = False  # answered by the simulator, without a network

    def spoken_by(self, provider: Provider) -> tuple[TextFormat, ...]:
        return provider.speaks or self.speaks

    def with_quirks(self, provider: Provider) -> Provider:
        """The provider with what is true of all of its kind; what the operator wrote goes before it."""
        return structs.replace(
            provider,
            output_caps=provider.output_caps or self.output_caps,
            reports_stream_usage=provider.reports_stream_usage and self.reports_stream_usage,
            streams_only=provider.streams_only or self.streams_only,
            buffers_only=provider.buffers_only or self.buffers_only,
        )

    def operations(self, speaks: Collection[TextFormat]) -> frozenset[Operation]:
        """What a provider that speaks these can be asked for."""
        operations: tuple[Operation, ...] = get_args(Operation)
        found = ((one, self.target(one, "m", False, speaks)) for one in operations)
        return frozenset(one for one, at in found if at is not None and is_served(one, at.format))
