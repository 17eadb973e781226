"""The answer to a body and a script: what it says, what it used, and the bytes that a server of the format writes."""

from collections.abc import Iterable
from typing import Final

import msgspec
from msgspec import Struct

from tollhouse.core.failure import ContextTooLong
from tollhouse.core.tokens import TextCounter, TokenCounter
from tollhouse.core.usage import Usage
from tollhouse.core.wire import Headers
from tollhouse.protocols.openai import answers, response_answers
from tollhouse.upstream.simulator import fitting, words
from tollhouse.upstream.simulator.asked import Asked
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
from tollhouse.upstream.simulator.vectors import unit_vector

_REPLY_TOKENS_MAX: Final = 256  # of an answer that no script and no schema makes longer

IMAGE_TOKENS: Final = 85
"""What a part without text (an image, audio, a file) counts as."""

_READ: Final = {"chat": "messages", "completions": "prompt"}
_GENERATE: Final = ("chat", "completions", "responses")
_JSON: Final = (b"content-type", b"application/json")
_EVENTS: Final = (b"content-type", b"text/event-stream; charset=utf-8")
_STATUS_ROWS: Final = (  # status, type, code: as the original server has them
    (400, "invalid_request_error", "invalid_value"),
    (401, "invalid_request_error", "invalid_api_key"),
    (402, "insufficient_quota", "insufficient_quota"),
    (403, "invalid_request_error", "unsupported_country_region_territory"),
    (404, "invalid_request_error", "model_not_found"),
    (429, "requests", "rate_limit_exceeded"),
    (503, "server_error", "service_unavailable"),
)


class Composed(Struct, frozen=True):
    """`pieces`: of the body, each made when it is to be sent, and sent alone. `cut_after`: the connection breaks after
    so many of them, if there are more. `broken`: it breaks after the last."""

    status: int
    headers: Headers
    pieces: Iterable[bytes]
    cut_after: int | None = None
    broken: bool = False


class Said(Struct, frozen=True):
    """What an answer says, once, whatever its form."""

    text: str
    tool: tuple[str, str] | None
    finish: str
    tokens: int

    def whole(self) -> str:
        return self.text if self.tool is None else self.tool[0] + self.tool[1]


async def tokens_in(asked: Asked, counter: TextCounter, whose: str) -> int:
    """What the prompt counts as: the one figure of an answer that may take long to find. `whose`: the key that asks."""
    ids = sum(len(entry) for entry in asked.inputs if isinstance(entry, list))
    texts = await counter.count_aside("\n".join(asked.prompt), asked.model, whose)
    return texts + ids + IMAGE_TOKENS * asked.media


def require_room(asked: Asked, read: int, context_tokens: int | None, longest_answer: int | None) -> None:
    """Raises ContextTooLong where a model of this size would, as the original words it."""
    if context_tokens is not None and read > context_tokens * max(1, len(asked.inputs)):
        raise ContextTooLong(
            f"This model's maximum context length is {context_tokens} tokens. However, your request has {read} tokens. "
            "Please reduce its length.",
            param=_READ.get(asked.operation, "input"),
        )
    most = context_tokens if longest_answer is None else longest_answer
    if asked.operation in _GENERATE and asked.cap is not None and most is not None and asked.cap > most:
        raise ContextTooLong(
            f"'{asked.cap_param}' asks for {asked.cap} tokens, but of this model's maximum context length is"
            f" at most {most} for an answer.",
            param=asked.cap_param,
        )


def is_light(asked: Asked, script: Script) -> bool:
    """Whether the answer is made within a few milliseconds, and may be made on the event loop."""
    if asked.operation == "embeddings":
        return len(asked.inputs) * (asked.dimensions + FIGURES_OF_INPUT) <= LIGHT_FIGURES
    calls_a_tool = asked.forced_tool is not None or script.tool is not None
    if asked.operation == "moderations" or asked.schema is not None or calls_a_tool:
        return False
    tokens = _REPLY_TOKENS_MAX if script.tokens is None else script.tokens
    return tokens * _choices(asked) <= LIGHT_TOKENS


def compose(asked: Asked, script: Script, counter: TokenCounter, read: int, created: int) -> Composed:
    """`read`: see `tokens_in`; `created` in Unix seconds. All else of the answer follows from the first three."""
    if script.status is not None and script.status != 200:
        return refusal(script.status)
    if asked.operation == "embeddings":
        return _cut(Composed(200, [_JSON], [_embeddings(asked, script, read)]), script)
    if asked.operation == "moderations":
        flagged = ["violence" in text.lower() for text in asked.inputs if isinstance(text, str)]
        body = answers.moderations(f"modr-{_seed(asked)[:24]}", asked.model, flagged)
        return _cut(Composed(200, [_JSON], [body]), script)
    choices = _choices(asked)
    require((script.tokens or 0) * choices, TOKENS_MAX, "output tokens (of all answers)", "n")
    said = _say(asked, script, counter)
    require(said.tokens * choices, LOGPROBS_MAX if asked.logprobs else TOKENS_MAX, "output tokens (of all answers)")
    require(len(said.whole()) * choices, BYTES_MAX, "characters (of all answers)")
    usage = None
    if not script.no_usage:
        usage = Usage(input=read, output=said.tokens * choices)
    if asked.stream:
        return _cut_stream(Composed(200, [_EVENTS], _events(asked, said, usage, created)), script)
    return _cut(Composed(200, [_JSON], [_body(asked, said, usage, created)]), script)


def refusal(status: int) -> Composed:
    """The provider's answer with an error status."""
    kind, code = next(((kind, code) for known, kind, code in _STATUS_ROWS if known == status), ("server_error", None))
    error = {"message": f"Simulated status {status}.", "type": kind, "param": None, "code": code}
    headers = [_JSON, (b"retry-after", b"1")] if status in (429, 503) else [_JSON]
    return Composed(status, headers, [msgspec.json.encode({"error": error})])


def _say(asked: Asked, script: Script, counter: TokenCounter) -> Said:
    def count(text: str) -> int:
        return counter.count(text, asked.model)

    seed = _seed(asked)
    name = asked.forced_tool or (None if asked.replies_to_tool else script.tool)
    if name is not None and asked.operation != "completions":
        arguments = msgspec.json.encode(fitting.fitting(asked.tools.get(name))).decode()
        room = None if asked.cap is None else max(0, asked.cap - count(name))
        given = arguments if room is None else words.cut(arguments, room, count)
        whole = "function_call" if asked.has_functions else "tool_calls"
        finish = whole if given == arguments else "length"
        return Said("", (name, given), finish, count(name) + count(given))
    if script.tokens is not None:
        text = words.exactly(script.tokens, seed, count)
    elif asked.schema is not None:
        text = msgspec.json.encode(fitting.fitting(asked.schema)).decode()
    else:
        text = words.reply(seed, asked.last)
    for stop in asked.stop:
        text = text.partition(stop)[0]
    given = text if asked.cap is None else words.cut(text, asked.cap, count)
    return Said(given, None, "stop" if given == text else "length", count(given))


def _body(asked: Asked, said: Said, usage: Usage | None, created: int) -> bytes:
    answer_id, model = _answer_id(asked), asked.model
    if asked.operation == "responses":
        return response_answers.response(
            answer_id, created, model, said.text, said.tool, usage, said.finish, asked.repeated
        )
    if asked.operation == "completions":
        return answers.completion(answer_id, created, model, said.text, usage, said.finish, _choices(asked))
    body = answers.chat(
        answer_id, created, model, said.text, said.tool, usage, said.finish, asked.n, asked.has_functions
    )
    return with_logprobs(body) if asked.logprobs else body


def _events(asked: Asked, said: Said, usage: Usage | None, created: int) -> Iterable[bytes]:
    answer_id, model, pieces = _answer_id(asked), asked.model, words.pieces(said.text)
    if asked.operation == "responses":
        return response_answers.response_events(
            answer_id, created, model, pieces, said.tool, usage, said.finish, asked.repeated
        )
    if asked.operation == "completions":
        return answers.completion_events(
            answer_id, created, model, pieces, usage, said.finish, asked.wants_usage, _choices(asked)
        )
    events = answers.chat_events(
        answer_id,
        created,
        model,
        pieces,
        said.tool,
        usage,
        said.finish,
        asked.wants_usage,
        asked.n,
        asked.has_functions,
    )
    if not asked.logprobs:
        return events
    return (event if event == answers.DONE else b"data: " + with_logprobs(event[6:-2]) + b"\n\n" for event in events)


def _embeddings(asked: Asked, script: Script, read: int) -> bytes:
    texts = [entry if isinstance(entry, str) else repr(entry) for entry in asked.inputs]
    vectors = [unit_vector(text, asked.dimensions) for text in texts]
    return answers.embeddings(asked.model, vectors, None if script.no_usage else Usage(input=read), asked.base64)


def _cut(whole: Composed, script: Script) -> Composed:
    """A buffered answer as a faulty provider sends it."""
    (body,) = whole.pieces
    if script.malformed:
        return Composed(whole.status, whole.headers, [_malformed(body)])
    if script.cut_after is None:
        return whole
    return Composed(whole.status, whole.headers, [body[: len(body) // 2]], broken=True)


def _cut_stream(whole: Composed, script: Script) -> Composed:
    if script.malformed:
        return Composed(whole.status, whole.headers, [_malformed(next(iter(whole.pieces)))])
    return Composed(whole.status, whole.headers, whole.pieces, cut_after=script.cut_after)


def _malformed(piece: bytes) -> bytes:
    return piece[: len(piece) // 2] + b"\n\n"


def _choices(asked: Asked) -> int:
    return asked.n * max(1, len(asked.inputs)) if asked.operation == "completions" else asked.n


def _seed(asked: Asked) -> str:
    ids = [repr(entry) for entry in asked.inputs if isinstance(entry, list)]
    return words.digest(asked.operation, asked.model, *asked.prompt, *ids)


def _answer_id(asked: Asked) -> str:
    prefix = {"chat": "chatcmpl-", "completions": "cmpl-", "responses": "resp_"}[asked.operation]
    return prefix + _seed(asked)[:24]
