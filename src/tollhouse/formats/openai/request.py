"""Requests in the OpenAI format: read as far as the gateway needs, written again for a provider.

Top-level members stay the bytes they came in; decoded is only what decides something here: presence and type of the
required members, type and range of those the gateway reads. Null counts as absent, all else is the provider's to judge.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
from msgspec import Raw

from tollhouse.core import half_pairs
from tollhouse.core.body_pieces import in_pieces
from tollhouse.core.failure import BadRequest
from tollhouse.core.members import Members
from tollhouse.core.model_request import ModelRequest
from tollhouse.core.operation import Operation
from tollhouse.core.raw_members import decoded, integer, missing
from tollhouse.core.upstream import Buffer
from tollhouse.core.usage import TOKENS_MAX
from tollhouse.core.workers import APART_BYTES
from tollhouse.formats.openai.echo import prompts_of
from tollhouse.formats.openai.foreign_thoughts import MARK, without_foreign_thoughts
from tollhouse.formats.openai.hosted_tools import brings_tools, brought_tools, hosted_tools, run_there
from tollhouse.formats.openai.parameters import CAPS
from tollhouse.formats.openai.unlisted import unlisted
from tollhouse.formats.openai.vectors import asked as asked_encoding

AFFINITY_BYTES = 1024
MODEL_CHARACTERS_MAX = 512
_MODERATION_MODEL = "omni-moderation-latest"  # what the original takes when none is named

_encode = msgspec.json.Encoder().encode
_TRUE, _FALSE = Raw(b"true"), Raw(b"false")
_FIRST_ELEMENT = re.compile(rb"\[\s*(.)", re.DOTALL)
_BESIDE_ITS_CAP = frozenset(
    ("prediction", "echo", "thinking_budget", "enable_thinking", "modalities", "thinking", "reasoning")
)
_STYLES: Final[Mapping[str, str]] = {"openai": "", "claude": "anthropic", "gemini": "gemini"}
"""The dialect of each style; empty: the path's own."""


def read(operation: Operation, body: bytes) -> ModelRequest:
    """Raises BadRequest and UnsupportedParameter; `param` names the member to blame."""
    members, has_halves = half_pairs.read_members(body)
    style = ""
    if operation == "chat":
        if "style" in members:
            style = _style(members.pop("style"))
        if "input" in members and _is_absent(members, "messages"):
            operation = "responses"  # some editors send such bodies where chats are, for models that they know
    beyond = unlisted(operation, members)
    nulls = [name for name, raw in members.items() if is_null(raw)] if b"null" in body else ()
    present = members if not nulls else {name: raw for name, raw in members.items() if name not in nulls}

    request = ModelRequest(operation=operation, members=members, model=model_of(operation, present), length=len(body))
    request.style = style
    request.dropped, request.has_halves = beyond.dropped, has_halves
    request.may_have_foreign = MARK in body
    request.reads_more, request.other_cap = beyond.reads_more, beyond.cap
    request.tier, request.tier_param, request.hosted = beyond.tier, beyond.tier_param, beyond.hosted
    if "tools" in present and (there := run_there(present["tools"])):
        request.tools_there = there
        request.hosted += tuple(hosted_tools(present)) if CAPS[operation] else ()
    if operation == "responses" and brings_tools(body) and "input" in present:
        request.hosted += tuple(brought_tools(present["input"]))
    prompt, request.prompts = _PROMPTS[operation](present)
    request.affinity = bytes(memoryview(prompt)[:AFFINITY_BYTES])
    if operation == "embeddings":
        request.vectors = asked_encoding(present)
    if CAPS[operation]:
        request.n = request.choices = request.prompts
        if "n" in present or "best_of" in present or beyond.answers > 1:
            request.choices *= _integer(present, "n") or 1
            best = max(_integer(present, "best_of") or 1, beyond.answers)
            request.n = max(request.choices, request.prompts * best)
        request.thinks_beside = beyond.writes_more
        _read_caps(request, present)
        if not _BESIDE_ITS_CAP.isdisjoint(present):
            _read_uncapped(request, present)
    if "stream" in present or "stream_options" in present:
        _read_stream(request, present)
    if "user" in present or "metadata" in present:
        read_tags(request, present)
    return request


def write(
    request: ModelRequest,
    *,
    model: str,
    stream: bool,
    include_usage: bool,
    caps: tuple[str, ...] = (),
    others: bool = True,
    added_cap: int | None = None,
) -> list[Buffer]:
    """The body for a provider that calls the model `model`: every member as it came, but for what the gateway decides.
    In one piece of bytes, unless it is large: then each long member is a piece of its own, and not copied.

    stream: how the provider is to answer, whatever the caller asked. include_usage: force a usage chunk, only where the
    answer streams; the caller's other stream options stay.
    caps: the names by which this provider may read an output cap; the least that the caller named is sent by each, or
    `added_cap` (tokens), where they named none. others: False where the provider takes no other name of a cap, so that
    a caller's own is sent by these alone; a single name else stands beside no other one.
    """
    members = dict(request.members)
    members["model"] = Raw(_encode(model))
    if stream:
        members["stream"] = _TRUE
        if include_usage and request.operation in ("chat", "completions"):
            options = _stream_options(members) or {}
            members["stream_options"] = Raw(_encode({**options, "include_usage": True}))
    else:
        members.pop("stream_options", None)
        if "stream" in members:
            members["stream"] = _FALSE
    if caps and (added_cap is not None or request.output_cap is not None):
        _write_caps(members, request.operation, caps, others, added_cap)
    if request.may_have_foreign:
        members = without_foreign_thoughts(request.operation, members)
    members = half_pairs.restore_members(members) if request.has_halves else members
    return [_encode(members)] if request.length <= APART_BYTES else list(in_pieces(members))


def _write_caps(
    members: Members, operation: Operation, caps: tuple[str, ...], others: bool, added_cap: int | None
) -> None:
    """One cap by every name that may be read: a server that reads only the other one would write to its maximum."""
    named = []
    for name in CAPS[operation]:
        if name in members and not is_null(members[name]):
            named.append(members[name])
    if named and others and len(caps) == 1:
        return  # it reads what the caller wrote, and may refuse two of them
    if not others:
        for name in CAPS[operation]:
            members.pop(name, None)
    if named:
        least = named[0] if len(named) == 1 else min(named, key=lambda raw: int(bytes(raw)))
    else:
        least = Raw(_encode(added_cap))
    for name in caps:
        members[name] = least


def model_of(operation: Operation, members: Members) -> str:
    raw = members.get("model")
    if raw is None:
        if operation == "moderations":
            return _MODERATION_MODEL
        raise missing("model")
    model = decoded(raw, str)
    if model is None:
        raise BadRequest("'model' must be a string.", param="model")
    if not model or len(model) > MODEL_CHARACTERS_MAX:
        raise BadRequest(f"'model' must have 1 to {MODEL_CHARACTERS_MAX} characters.", param="model")
    return model


def _style(raw: Raw) -> str:
    """The dialect of the answer; empty: the path's own."""
    style = "openai" if is_null(raw) else decoded(raw, str)
    if style is None or style not in _STYLES:
        raise BadRequest("'style' must be 'openai', 'claude' or 'gemini'.", param="style")
    return _STYLES[style]


def _is_absent(members: Members, name: str) -> bool:
    return name not in members or is_null(members[name])


def _chat_prompt(members: Members) -> tuple[Raw, int]:
    raw = members.get("messages")
    if raw is None:
        raise missing("messages")
    if _first(raw, "messages", "an array of messages") != b"{":
        raise BadRequest("'messages[0]' must be an object with a 'role'.", param="messages[0]")
    return raw, 1


def _completions_prompt(members: Members) -> tuple[Raw, int]:
    """A prompt, and how many it holds: each is answered `n` times."""
    raw = members.get("prompt")
    if raw is None:
        raise missing("prompt")
    return raw, _texts_or_tokens(raw, "prompt")


def _embeddings_input(members: Members) -> tuple[Raw, int]:
    raw = members.get("input")
    if raw is None:
        raise missing("input")
    return raw, _objects(raw) or _texts_or_tokens(raw, "input")


def _moderations_input(members: Members) -> tuple[Raw, int]:
    raw = members.get("input")
    if raw is None:
        raise missing("input")
    if _is_text(raw):
        return raw, 1
    texts = _first(raw, "input", "a string or an array") == b'"'
    inputs: list[str] | list[dict[str, Raw]] | None
    inputs = decoded(raw, list[str]) if texts else decoded(raw, list[dict[str, Raw]])
    if inputs is None:
        raise BadRequest("'input' must be a string, an array of strings or an array of parts.", param="input")
    return raw, len(inputs)


def _responses_input(members: Members) -> tuple[Raw, int]:
    raw = members.get("input")
    if raw is None:
        if "prompt" in members:  # a stored prompt brings its own input
            return members["prompt"], 1
        raise missing("input")
    if not _is_text(raw) and _first(raw, "input", "a string or an array of items") != b"{":
        raise BadRequest("'input[0]' must be an object.", param="input[0]")
    return raw, 1


_PROMPTS: Mapping[Operation, Callable[[Members], tuple[Raw, int]]] = {
    "chat": _chat_prompt,
    "completions": _completions_prompt,
    "embeddings": _embeddings_input,
    "moderations": _moderations_input,
    "responses": _responses_input,
}


def _objects(raw: Raw) -> int:
    """Of how many objects and texts an input is made that has objects (media), each embedded for itself at most; 0: it
    has none. Their form is the provider's to judge."""
    if bytes(memoryview(raw)[:1]) == b"{":
        return 1
    if b"{" not in bytes(raw):
        return 0
    inputs = decoded(raw, list[str | dict[str, Raw]]) or ()
    return len(inputs) if any(isinstance(one, dict) for one in inputs) else 0


def _texts_or_tokens(raw: Raw, name: str) -> int:
    """Count a string, strings, token ids or arrays of token ids as the texts they are."""
    if _is_text(raw):
        return 1
    wanted = "a string, an array of strings, or an array (of arrays) of token ids"
    first = _first(raw, name, wanted)
    if first == b'"':
        texts: list[str] | list[list[int]] | None = decoded(raw, list[str])
    elif first == b"[":
        texts = decoded(raw, list[list[int]])
    else:
        texts = [""] if decoded(raw, list[int]) is not None else None
    if texts is None:
        raise BadRequest(f"'{name}' must be {wanted}.", param=name)
    return len(texts)


def _read_stream(request: ModelRequest, members: Members) -> None:
    streams = False
    raw = members.get("stream")
    if raw is not None:
        value = decoded(raw, bool)
        if value is None:
            raise BadRequest("'stream' must be true or false.", param="stream")
        streams = value
    request.stream = streams and request.operation not in ("embeddings", "moderations")
    options = _stream_options(members)
    if options is None:
        return
    if not streams:
        raise BadRequest("'stream_options' is only allowed when 'stream' is true.", param="stream_options")
    include_usage = options.get("include_usage")
    if include_usage is not None and not is_null(include_usage):
        wanted = decoded(include_usage, bool)
        if wanted is None:
            raise BadRequest(
                "'stream_options.include_usage' must be true or false.", param="stream_options.include_usage"
            )
        request.wants_usage = wanted


def _stream_options(members: Members) -> dict[str, Raw] | None:
    raw = members.get("stream_options")
    if raw is None or is_null(raw):
        return None
    options = decoded(raw, dict[str, Raw])
    if options is None:
        raise BadRequest("'stream_options' must be an object.", param="stream_options")
    return options


def _read_caps(request: ModelRequest, members: Members) -> None:
    for name in CAPS[request.operation]:
        if name in members:
            cap = integer(members[name], name)
            if cap > (request.output_cap or 0):
                request.output_cap, request.cap_param = cap, name


def _read_uncapped(request: ModelRequest, members: Members) -> None:
    """A prediction is paid as output where the model does not follow it, and an echoed prompt may be. Thinking has its
    budget inside the cap, and Qwen, who calls it `thinking_budget`, beside it; without one its thoughts are as long as
    they get, and so are pictures. What is not understood is held for, and the provider's to judge."""
    if "prediction" in members:
        request.uncapped = len(members["prediction"])
    if request.operation == "completions" and "echo" in members and not _is_false(members["echo"]):
        request.uncapped += len(members["prompt"])
        request.echoes = prompts_of(members["prompt"])
    if "thinking_budget" in members:
        budget = decoded(members["thinking_budget"], int)
        request.uncapped += _tokens(members["thinking_budget"])
        request.thinks_beside = request.thinks_beside or budget is None or budget < 0
    elif "enable_thinking" in members and not _is_false(members["enable_thinking"]):
        request.thinks_beside = True
    if "modalities" in members:
        modalities: list[Any] = decoded(members["modalities"], list[Any]) or [None]
        request.thinks_beside = request.thinks_beside or any(one not in ("text", "audio") for one in modalities)
    for name, part in (("thinking", "budget_tokens"), ("reasoning", "max_tokens")):
        if name in members:
            inside = decoded(members[name], dict[str, Raw]) or {}
            request.thinking = max(request.thinking, _tokens(inside.get(part)))


def _tokens(raw: Raw | None) -> int:
    """A figure that is not checked here: what is none counts for nothing."""
    return 0 if raw is None else min(max(0, decoded(raw, int) or 0), TOKENS_MAX)


def read_tags(request: ModelRequest, members: Members) -> None:
    """What costs may be grouped by; a value of another kind is no error here."""
    if "user" in members:
        request.user = decoded(members["user"], str)
    if "metadata" in members:
        metadata = decoded(members["metadata"], dict[str, Raw]) or {}
        texts = {name: decoded(raw, str) for name, raw in metadata.items()}
        request.metadata = {name: text for name, text in texts.items() if text is not None}


def _integer(members: Members, name: str) -> int | None:
    raw = members.get(name)
    return None if raw is None else integer(raw, name)


def is_null(raw: Raw) -> bool:
    return bytes(memoryview(raw)[:5]) == b"null"


def _is_false(raw: Raw) -> bool:
    return bytes(memoryview(raw)[:6]) == b"false"


def _is_text(raw: Raw) -> bool:
    return bytes(memoryview(raw)[:1]) == b'"'


def _first(raw: Raw, name: str, wanted: str) -> bytes:
    """The first byte of an array's first element. Raises BadRequest for an empty array and for what is none."""
    match = _FIRST_ELEMENT.match(raw)
    if match is None:
        raise BadRequest(f"'{name}' must be {wanted}.", param=name)
    if match[1] == b"]":
        raise BadRequest(f"'{name}' must not be empty.", param=name)
    return bytes(match[1])
