"""The port behind which a wire format stands: the functions that read and write one operation of it, as data.

Formats make codecs (`formats/`), the gateway calls them. It picks the codec of a call once, by the format and the
operation of the endpoint, and keeps it in the request context. All functions are functions of modules, or partials of
them: a worker process gets the codec pickled (see `core.apart`).
"""

from collections.abc import Callable, Mapping
from typing import Protocol

from msgspec import Struct

from tollhouse.core.cleaning import Known
from tollhouse.core.failure import Failure
from tollhouse.core.form import UploadedForm
from tollhouse.core.limit_headers import limit_headers
from tollhouse.core.limit_status import WriteLimit
from tollhouse.core.model_request import InputBounds, ModelRequest, Prompt, VectorEncoding
from tollhouse.core.operation import Operation
from tollhouse.core.sse import FILLER
from tollhouse.core.text_start import TextStarts
from tollhouse.core.upstream import Buffer, Piece
from tollhouse.core.usage import Usage
from tollhouse.core.vector_words import VectorWords
from tollhouse.core.words import FormatWords

CountTokens = Callable[[str], int]
"""The tokens of a text, by our own count."""
CodecKey = tuple[str, Operation]
"""A format and an operation."""


class ResponseSummary(Struct, frozen=True, kw_only=True):
    """What a buffered response says that is accounted for here."""

    usage: Usage | None  # None: not reported, or not to be believed
    raw_usage: bytes | None  # the provider's own JSON
    elsewhere: bool = False  # it was reported, but not as `usage`, where the caller looks for it
    beside: bool = False  # there are members besides the known ones: see `Codec.fit`
    finish: str | None = None  # the first choice's reason, or the status of a response; None: not told
    incomplete: bool = False  # cut at its length
    content_type: bytes = b""  # of the body, where it is another than the codec's
    mended: bytes | None = None  # the body as its codec can read it, where it could not be read as it came


class RelayedStream(Protocol):
    """A provider's stream on its way to the caller. Feed it every read until `is_complete` or `failure`; at the
    provider's end of stream call `finish`.

    is_complete: the proper end came; read no further, send what `seal` gives once the charge is durable.
    failure: the stream broke, failed or was nonsense; read no further, send nothing more.
    cut: it passed `maximum`, and is complete with that.
    """

    failure: Failure | None

    @property
    def is_complete(self) -> bool: ...

    @property
    def cut(self) -> bool: ...

    @property
    def pending(self) -> int:
        """Bytes of an event that is not complete yet."""
        ...

    def feed(self, data: bytes) -> bytes:
        """Take a read of any size, cut anywhere; give what may go to the caller now. Raises nothing."""
        ...

    def finish(self) -> None:
        """The provider closed the stream. Raises the failure, UpstreamBroke where the response is not whole."""
        ...

    def feed_late(self, data: bytes) -> None:
        """Take what comes after the end, while `lacks_report`. Raises nothing."""
        ...

    def seal(
        self, charge_usd: str, request_id: str, cap_reason: str | None = None, counted: Usage | None = None
    ) -> bytes:
        """The last part, kept until the charge is durable. counted: what was charged for where the provider's report
        was missing or not believed; it is told instead."""
        ...

    def delivered(self) -> Usage:
        """Output that went on so far, as we count it."""
        ...

    @property
    def uncounted(self) -> int:
        """Bytes, about, of text that `delivered` has to count."""
        ...

    @property
    def lacks_report(self) -> bool:
        """The end came without a report of usage, which may yet follow."""
        ...

    @property
    def usage(self) -> Usage | None:
        """The last report, normalised; None: there was none of the whole text, or none to be believed."""
        ...

    @property
    def raw_usage(self) -> bytes | None:
        """The last report as the provider's own JSON."""
        ...

    @property
    def heads(self) -> TextStarts:
        """How each answer begins, where it was asked to begin with its prompt."""
        ...

    @property
    def incomplete(self) -> bool:
        """The response was cut at its length."""
        ...

    @property
    def finishing(self) -> bool:
        """Only usage and the formal end are missing."""
        ...

    @property
    def failed(self) -> bool:
        """The provider said itself, in the terminal event, that the response failed."""
        ...

    @property
    def sequence_number(self) -> int:
        """The number of the next event, in formats that number them; else 0."""
        ...


class GatheredStream(Protocol):
    """A stream gathered into the one body that a caller asked for, from a provider that streams.

    Feed it every read until `is_complete`; then, or at the provider's end of stream, `finish` gives the body. Both
    raise the failure that an error event stands for, and UpstreamBroke for a response that is not whole.
    """

    @property
    def is_complete(self) -> bool: ...

    @property
    def cut(self) -> bool:
        """It passed `maximum`, and is complete with that."""
        ...

    @property
    def pending(self) -> int:
        """Bytes of an event that is not complete yet."""
        ...

    @property
    def usage(self) -> Usage | None:
        """The last report, normalised; None: there was none of the whole text, or none to be believed."""
        ...

    @property
    def raw_usage(self) -> bytes | None:
        """The last report as the provider's own JSON."""
        ...

    def feed(self, data: bytes) -> None: ...

    def finish(self) -> bytes: ...


class WriteRequest(Protocol):
    """Writes the body for a provider that calls the model `model`: in one piece, unless it is large.

    stream: how the provider is to answer, whatever the caller asked. include_usage: ask for a report where it streams.
    caps: the members by which this provider may read an output cap. others: False where it takes no other one.
    added_cap: tokens; sent where the caller named no cap.
    """

    def __call__(
        self,
        request: ModelRequest,
        /,
        *,
        model: str,
        stream: bool,
        include_usage: bool,
        caps: tuple[str, ...] = (),
        others: bool = True,
        added_cap: int | None = None,
    ) -> list[Buffer]: ...


class OpenRelay(Protocol):
    """Begins to relay a stream. show_usage: the caller asked for a report. choices: how many answers were asked for.
    maximum: tokens that may pass, as `count` says; None: any number. known: which words of an error may be told.
    echoes: answers may begin with their prompts."""

    def __call__(
        self,
        *,
        show_usage: bool,
        count: CountTokens,
        choices: int = 1,
        maximum: int | None = None,
        known: Known,
        echoes: bool = False,
    ) -> RelayedStream: ...


class OpenGathering(Protocol):
    """Begins to gather a stream. Arguments as of `OpenRelay`."""

    def __call__(
        self, choices: int = 1, *, count: CountTokens, maximum: int | None = None, known: Known
    ) -> GatheredStream: ...


class StreamCodec(Struct, frozen=True, kw_only=True):
    """The streams of an operation that streams. keepalive: what a client skips, sent while the provider is silent.
    loop_bytes: of events that the event loop reads at once; more are read in a thread."""

    relay: OpenRelay
    gather: OpenGathering
    unfold: Callable[[bytes], bytes]  # a buffered body as the stream that was asked for; raises UpstreamError
    error_event: Callable[[Failure, str, int], bytes]  # with the request's id and the event's sequence number
    keepalive: bytes = FILLER
    content_type: bytes = b"text/event-stream; charset=utf-8"
    loop_bytes: int = 256 * 1024


class BytesCodec(Struct, frozen=True, kw_only=True):
    """Answers that are no text (sound), sent on as they come.

    relay: reads them like a stream; its `seal` is the last of their bytes. content_type: of an answer that a provider
    calls so, of a request; None: it is none of these. streams: how they go on, but for that type.
    """

    relay: Callable[[], RelayedStream]
    content_type: Callable[[bytes, ModelRequest], bytes | None]
    streams: StreamCodec


class FormCodec(Struct, frozen=True, kw_only=True):
    """Requests as forms, whose files are not in memory.

    read: raises BadRequest and UnsupportedParameter. write: for a provider that calls the model so, and is to stream.
    """

    read: Callable[[UploadedForm], ModelRequest]
    write: Callable[[ModelRequest, str, bool], list[Piece]]


class VectorCodec(Struct, frozen=True, kw_only=True):
    """Vectors in a response, in the encoding that was asked for."""

    differs: Callable[[bytes, VectorEncoding], bool]  # whether a body may have them in another one: a search
    encoded: Callable[[bytes, VectorEncoding], bytes]  # the body with its vectors in this encoding


class TokenCountCodec(Struct, frozen=True, kw_only=True):
    """How a caller asks for the tokens of a request, where a dialect has an endpoint for that. read: the body, as
    `Codec.read`. body: of the answer, with the tokens."""

    read: Callable[[bytes], ModelRequest]
    body: Callable[[int], bytes]


class Codec(Struct, frozen=True, kw_only=True):
    """One operation of one wire format, `wire`. Bodies are bytes; what is raised is a `Failure`.

    read: a request's body. Raises BadRequest and UnsupportedParameter. A codec without `streams` reads no `stream`.
    input_bounds: how large its input can be. prompt_of: the text to count. stands_in: whether the caller wrote a text.
    read_response: the body of a 200. Raises UpstreamError for what is no response, and the failure that an error inside
    stands for.
    response_text: of a body that was read, all text the model wrote, and what else it wrote as units.
    with_usage: the body with this usage in place of the provider's report.
    fit: the body without members that may not be told.
    error_status, error_body: of an error response; the body takes the request's id.
    text_starts: how each answer begins, where a request has `echoes`.
    cut: the body cut to so many tokens, and the output that is left; None where it has no more.
    words, vector_words: how it is translated to and from other formats; None: it is not.
    draws: the model makes pictures or sound: output is held for, too. takes_cap: a request can bound its output; else
    only the model's longest answer does.
    in_bytes: of an operation whose answers may be no text. form: of one that is asked for by a form; `read` takes the
    bytes of one then, and `write` gives them.
    framings: the codec of answers in another framing that the path asks for, by its name.
    counting: None: nobody asks for the tokens of a request alone.
    """

    format: str
    operation: Operation
    wire: str  # `openai_chat`: the name by which a provider's endpoint speaks it
    generates: bool  # the model writes text: output is held for, and counted where nobody reports it
    read: Callable[[bytes], ModelRequest]
    input_bounds: Callable[[ModelRequest], InputBounds]
    prompt_of: Callable[[ModelRequest, InputBounds], Prompt]
    stands_in: Callable[[ModelRequest, str], bool]
    write: WriteRequest
    read_response: Callable[[bytes, Known], ResponseSummary]
    response_text: Callable[[bytes], tuple[str, Usage]]
    with_usage: Callable[[bytes, Usage], bytes]
    fit: Callable[[bytes, Known], bytes]
    error_status: Callable[[Failure], int]
    error_body: Callable[[Failure, str], bytes]
    text_starts: Callable[[bytes], TextStarts] | None = None
    cut: Callable[[bytes, int, CountTokens], tuple[bytes, Usage] | None] | None = None
    streams: StreamCodec | None = None
    vectors: VectorCodec | None = None
    draws: bool = False
    takes_cap: bool = True
    in_bytes: BytesCodec | None = None
    form: FormCodec | None = None
    content_type: bytes = b"application/json"  # of a buffered response
    limit_headers: WriteLimit = limit_headers  # how the limits stand that a call has passed, or did not pass
    words: FormatWords | None = None
    vector_words: VectorWords | None = None
    framings: Mapping[str, "Codec"] = {}
    counting: TokenCountCodec | None = None
