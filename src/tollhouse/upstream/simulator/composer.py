"""The answer to a body and a script: what it says, what it used, and the bytes that a server of the format writes."""

from collections.abc import Iterable
from typing import Final

import msgspec
from msgspec import Struct

from tollhouse.core.failure import ContextTooLong
from tollhouse.core.tokens import TextCounter, TokenCounter
from tollhouse.core.upstream import Headers
from tollhouse.core.usage import Usage
from tollhouse.formats.openai import answers, response_answers
from tollhouse.upstream.simulator import fitting, words
from tollhouse.upstream.simulator.bounds import (
    BYTES_MAX,
    FIGURES_OF_INPUT,
    LIGHT_FIGURES,
    LIGHT_TOKENS,
    LOGPROBS_MAX,
    TOKENS_MAX,
    require,
)
from tollhouse.upstream.simulator.logprobs import with_logprobs
from tollhouse.upstream.simulator.script import Script
from tollhouse.upstream.simulator.simulated_request import SimulatedRequest
from tollhouse.upstream.simulator.vectors import unit_vector

_REPLY_TOKENS_MAX: Final = 256  # of an answer that no script and no schema makes longer

IMAGE_TOKENS: Final = 85
"""What a part without text (an image, audio, a file) counts as."""

_READ: Final = {"chat": "messages", "completions": "prompt"}
_GENERATE: Final = ("chat", "completions", "responses")
JSON: Final = (b"content-type", b"application/json")
EVENTS: Final = (b"content-type", b"text/event-stream; charset=utf-8")
_STATUS_ROWS: Final = (  # status, type, code: as the original server has them
    (400, "invalid_request_error", "invalid_value"),
    (401, "invalid_request_error", "invalid_api_key"),
    (402, "insufficient_quota", "insufficient_quota"),
    (403, "invalid_request_error", "unsupported_country_region_territory"),
    (404, "invalid_request_error", "model_not_found"),
    (429, "requests", "rate_limit_exceeded"),
    (503, "server_error", "service_unavailable"),
)


class SimulatedBody(Struct, frozen=True):
    """`pieces`: of the body, each made when it is to be sent, and sent alone. `cut_after`: the connection breaks after
    so many of them, if there are more. `broken`: it breaks after the last."""

    status: int
    headers: Headers
    pieces: Iterable[bytes]
    cut_after: int | None = None
    broken: bool = False


class SimulatedText(Struct, frozen=True):
    """What an answer says, once, whatever its form."""

    text: str
    tool: tuple[str, str] | None
    finish: str
    tokens: int

    def whole(self) -> str:
        return self.text if self.tool is None else self.tool[0] + self.tool[1]


async def tokens_in(request: SimulatedRequest, counter: TextCounter, whose: str) -> int:
    """What the prompt counts as: the one figure of an answer that may take long to find. `whose`: the key that asks."""
    ids = sum(len(entry) for entry in request.inputs if isinstance(entry, list))
    texts = await counter.count_aside("\n".join(request.prompt), request.model, whose)
    return texts + ids + IMAGE_TOKENS * request.media


def require_room(request: SimulatedRequest, read: int, context_tokens: int | None, longest_answer: int | None) -> None:
    """Raises ContextTooLong where a model of this size would, as the original words it."""
    if context_tokens is not None and read > context_tokens * max(1, len(request.inputs)):
        raise ContextTooLong(
            f"This model's maximum context length is {context_tokens} tokens. However, your request has {read} tokens. "
            "Please reduce its length.",
            param=_READ.get(request.operation, "input"),
        )
    maximum = context_tokens if longest_answer is None else longest_answer
    if request.operation in _GENERATE and request.cap is not None and maximum is not None and request.cap > maximum:
        raise ContextTooLong(
            f"'{request.cap_param}' asks for {request.cap} tokens, but of this model's maximum context length is"
            f" at most {maximum} for an answer.",
            param=request.cap_param,
        )


def is_light(request: SimulatedRequest, script: Script) -> bool:
    """Whether the answer is made within a few milliseconds, and may be made on the event loop."""
    if request.operation == "embeddings":
        return len(request.inputs) * (request.dimensions + FIGURES_OF_INPUT) <= LIGHT_FIGURES
    calls_a_tool = request.forced_tool is not None or script.tool is not None
    if request.operation == "moderations" or request.schema is not None or calls_a_tool:
        return False
    tokens = _REPLY_TOKENS_MAX if script.tokens is None else script.tokens
    return tokens * _choices(request) <= LIGHT_TOKENS


def compose(request: SimulatedRequest, script: Script, counter: TokenCounter, read: int, created: int) -> SimulatedBody:
    """`read`: see `tokens_in`; `created` in Unix seconds. All else of the answer follows from the first three."""
    if script.status is not None and script.status != 200:
        return refusal(script.status)
    if request.operation == "embeddings":
        return cut_buffered(SimulatedBody(200, [JSON], [_embeddings(request, script, read)]), script)
    if request.operation == "moderations":
        flagged = ["violence" in text.lower() for text in request.inputs if isinstance(text, str)]
        body = answers.moderations(f"modr-{_seed(request)[:24]}", request.model, flagged)
        return cut_buffered(SimulatedBody(200, [JSON], [body]), script)
    choices = _choices(request)
    require((script.tokens or 0) * choices, TOKENS_MAX, "output tokens (of all answers)", "n")
    said = _say(request, script, counter)
    require(said.tokens * choices, LOGPROBS_MAX if request.logprobs else TOKENS_MAX, "output tokens (of all answers)")
    require(len(said.whole()) * choices, BYTES_MAX, "characters (of all answers)")
    usage = None
    if not script.no_usage:
        usage = Usage(input=read, output=said.tokens * choices)
    if request.stream:
        return cut_stream(SimulatedBody(200, [EVENTS], _events(request, said, usage, created)), script)
    return cut_buffered(SimulatedBody(200, [JSON], [_body(request, said, usage, created)]), script)


def refusal(status: int) -> SimulatedBody:
    """The provider's answer with an error status."""
    kind, code = next(((kind, code) for known, kind, code in _STATUS_ROWS if known == status), ("server_error", None))
    error = {"message": f"Simulated status {status}.", "type": kind, "param": None, "code": code}
    headers = [JSON, (b"retry-after", b"1")] if status in (429, 503) else [JSON]
    return SimulatedBody(status, headers, [msgspec.json.encode({"error": error})])


def _say(request: SimulatedRequest, script: Script, counter: TokenCounter) -> SimulatedText:
    def count(text: str) -> int:
        return counter.count(text, request.model)

    seed = _seed(request)
    name = request.forced_tool or (None if request.replies_to_tool else script.tool)
    if name is not None and request.operation != "completions":
        arguments = msgspec.json.encode(fitting.fitting(request.tools.get(name))).decode()
        room = None if request.cap is None else max(0, request.cap - count(name))
        given = arguments if room is None else words.cut(arguments, room, count)
        whole = "function_call" if request.has_functions else "tool_calls"
        finish = whole if given == arguments else "length"
        return SimulatedText("", (name, given), finish, count(name) + count(given))
    if script.tokens is not None:
        text = words.exactly(script.tokens, seed, count)
    elif request.schema is not None:
        text = msgspec.json.encode(fitting.fitting(request.schema)).decode()
    else:
        text = words.reply(seed, request.last)
    for stop in request.stop:
        text = text.partition(stop)[0]
    given = text if request.cap is None else words.cut(text, request.cap, count)
    return SimulatedText(given, None, "stop" if given == text else "length", count(given))


def _body(request: SimulatedRequest, said: SimulatedText, usage: Usage | None, created: int) -> bytes:
    answer_id, model = _answer_id(request), request.model
    if request.operation == "responses":
        return response_answers.response(
            answer_id, created, model, said.text, said.tool, usage, said.finish, request.repeated
        )
    if request.operation == "completions":
        return answers.completion(answer_id, created, model, said.text, usage, said.finish, _choices(request))
    body = answers.chat(
        answer_id, created, model, said.text, said.tool, usage, said.finish, request.n, request.has_functions
    )
    return with_logprobs(body) if request.logprobs else body


def _events(request: SimulatedRequest, said: SimulatedText, usage: Usage | None, created: int) -> Iterable[bytes]:
    answer_id, model, pieces = _answer_id(request), request.model, words.pieces(said.text)
    if request.operation == "responses":
        return response_answers.response_events(
            answer_id, created, model, pieces, said.tool, usage, said.finish, request.repeated
        )
    if request.operation == "completions":
        return answers.completion_events(
            answer_id, created, model, pieces, usage, said.finish, request.wants_usage, _choices(request)
        )
    events = answers.chat_events(
        answer_id,
        created,
        model,
        pieces,
        said.tool,
        usage,
        said.finish,
        request.wants_usage,
        request.n,
        request.has_functions,
    )
    if not request.logprobs:
        return events
    return (event if event == answers.DONE else b"data: " + with_logprobs(event[6:-2]) + b"\n\n" for event in events)


def _embeddings(request: SimulatedRequest, script: Script, read: int) -> bytes:
    texts = [entry if isinstance(entry, str) else repr(entry) for entry in request.inputs]
    vectors = [unit_vector(text, request.dimensions) for text in texts]
    return answers.embeddings(request.model, vectors, None if script.no_usage else Usage(input=read), request.base64)


def cut_buffered(whole: SimulatedBody, script: Script) -> SimulatedBody:
    """A buffered answer as a faulty provider sends it."""
    (body,) = whole.pieces
    if script.malformed:
        return SimulatedBody(whole.status, whole.headers, [_malformed(body)])
    if script.cut_after is None:
        return whole
    return SimulatedBody(whole.status, whole.headers, [body[: len(body) // 2]], broken=True)


def cut_stream(whole: SimulatedBody, script: Script) -> SimulatedBody:
    if script.malformed:
        return SimulatedBody(whole.status, whole.headers, [_malformed(next(iter(whole.pieces)))])
    return SimulatedBody(whole.status, whole.headers, whole.pieces, cut_after=script.cut_after)


def _malformed(piece: bytes) -> bytes:
    return piece[: len(piece) // 2] + b"\n\n"


def _choices(request: SimulatedRequest) -> int:
    return request.n * max(1, len(request.inputs)) if request.operation == "completions" else request.n


def _seed(request: SimulatedRequest) -> str:
    ids = [repr(entry) for entry in request.inputs if isinstance(entry, list)]
    return words.digest(request.operation, request.model, *request.prompt, *ids)


def _answer_id(request: SimulatedRequest) -> str:
    prefix = {"chat": "chatcmpl-", "completions": "cmpl-", "responses": "resp_"}[request.operation]
    return prefix + _seed(request)[:24]
