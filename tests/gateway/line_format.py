"""A wire format of one line, as a fake of the codec port: `MODEL say: TEXT` asks, `said: TEXT | INPUT OUTPUT` answers.

A format is one file: `test_codecs.py` copies this one into a package of its own, where it is found.
"""

from typing import Final

from msgspec import Raw

from tollhouse.core.cleaning import Known
from tollhouse.core.codec import Codec, ResponseSummary
from tollhouse.core.failure import BadRequest, Failure, UpstreamError
from tollhouse.core.model_request import InputBounds, ModelRequest, Prompt
from tollhouse.core.upstream import Buffer
from tollhouse.core.usage import Usage


def read(body: bytes) -> ModelRequest:
    model, _, text = body.partition(b" say: ")
    if not text:
        raise BadRequest("Write `MODEL say: TEXT`.", param="say")
    members = {"say": Raw(text)}
    return ModelRequest(operation="chat", members=members, model=model.decode(), length=len(body), affinity=text[:1024])


def input_bounds(request: ModelRequest) -> InputBounds:
    return InputBounds(bytes=request.length)


def prompt_of(request: ModelRequest, bounds: InputBounds) -> Prompt:
    return Prompt(bytes(request.members["say"]).decode(), 0)


def stands_in(request: ModelRequest, text: str) -> bool:
    return text.encode() in bytes(request.members.get("say", b""))


def write(
    request: ModelRequest,
    /,
    *,
    model: str,
    stream: bool,
    include_usage: bool,
    caps: tuple[str, ...] = (),
    others: bool = True,
    added_cap: int | None = None,
) -> list[Buffer]:
    return [model.encode() + b" say: " + bytes(request.members["say"])]


def read_response(body: bytes, known: Known) -> ResponseSummary:
    start, _, text = body.partition(b"said: ")
    if start or not text:
        raise UpstreamError("The provider answered with no line.")
    _, reported, figures = text.partition(b" | ")
    usage = None
    if reported:
        given, made = map(int, figures.split())
        usage = Usage(input=given, output=made)
    return ResponseSummary(usage=usage, raw_usage=figures or None, finish=None, incomplete=False)


def response_text(body: bytes) -> tuple[str, Usage]:
    return body.removeprefix(b"said: ").partition(b" | ")[0].decode(), Usage()


def with_usage(body: bytes, usage: Usage) -> bytes:
    return b"%b | %d %d" % (body.partition(b" | ")[0], usage.input, usage.output)


def fit(body: bytes, known: Known) -> bytes:
    return body


def error_status(failure: Failure) -> int:
    return failure.status


def error_body(failure: Failure, request_id: str) -> bytes:
    return f"failed: {failure.public_message(request_id)}".encode()


CODECS: Final = (
    Codec(
        format="line",
        operation="chat",
        generates=True,
        read=read,
        input_bounds=input_bounds,
        prompt_of=prompt_of,
        stands_in=stands_in,
        write=write,
        read_response=read_response,
        response_text=response_text,
        with_usage=with_usage,
        fit=fit,
        error_status=error_status,
        error_body=error_body,
        content_type=b"text/plain",
    ),
)
