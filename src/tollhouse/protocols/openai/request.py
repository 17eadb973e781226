"""Requests in the OpenAI format: read as far as the gateway needs, written again for a provider.

Top-level members stay the bytes they came in; decoded is only what decides something here. Checked are presence and
top-level type of the required members, and type and range of those the gateway reads. Null counts as absent, unknown
members pass. Everything else is the provider's to judge.
"""

import re
from collections.abc import Callable, Mapping
from typing import TypeVar

import msgspec
from msgspec import Raw, Struct

from tollhouse.core.failure import BadRequest, UnsupportedParameter
from tollhouse.core.members import Members, read_members
from tollhouse.core.operation import Operation
from tollhouse.core.usage import TOKENS_MAX

AFFINITY_BYTES = 1024
MODEL_CHARACTERS_MAX = 512
_MODERATION_MODEL = "omni-moderation-latest"  # what the original takes when none is named

_T = TypeVar("_T")
_encode = msgspec.json.Encoder().encode
_TRUE, _FALSE = Raw(b"true"), Raw(b"false")
_FIRST_ELEMENT = re.compile(rb"\[\s*(.)", re.DOTALL)
_STYLES_TO_COME = ("claude", "gemini")
_CAPS: Mapping[Operation, tuple[str, ...]] = {
    "chat": ("max_completion_tokens", "max_tokens"),
    "completions": ("max_tokens",),
    "responses": ("max_output_tokens",),
    "embeddings": (),
    "moderations": (),
}
_EVERY_CAP = ("max_tokens", "max_completion_tokens", "max_output_tokens")
_DECIDING = frozenset(
    (
        *("model", "messages", "input", "prompt", "tools", "n", "best_of", "stream", "stream_options", "style"),
        *("background", "previous_response_id", "conversation", "web_search_options", "search_parameters"),
        *("enable_search", "plugins", "prediction", "thinking", "thinking_budget", "enable_thinking", "reasoning"),
        *_EVERY_CAP,
    )
)
"""Members that decide what a call may cost."""
_OTHER_MODELS = frozenset(
    ("models", "fallbacks", "context_window_fallbacks", "content_policy_fallbacks", "preset", "provideroptions")
)
"""Members by which a provider that is a gateway itself (OpenRouter, LiteLLM, Vercel) is told other models to answer by:
ones that the key may not call, at prices that nobody pays here. They are dropped, and the answer says so."""


class Request(Struct, kw_only=True):
    """One call, read. `members` holds every top-level member but `style`, in order, raw."""

    operation: Operation
    members: Members
    model: str
    stream: bool = False
    wants_usage: bool = False  # stream_options.include_usage: show the usage chunk
    prompts: int = 1  # texts in it, each read for itself: as large as the context, every one
    n: int = 1  # answers to be generated, each as long as the output cap
    choices: int = 1  # those of them that come back
    output_cap: int | None = None  # tokens; where two caps are named, the larger
    cap_param: str | None = None  # the member that named it
    thinking: int = 0  # tokens of a thinking budget: a cap that is added lies above it
    uncapped: int = 0  # output tokens of an answer that its cap does not bound
    thinks_beside: bool = False  # it may think beside its cap, for as long as it likes
    user: str | None = None
    metadata: dict[str, str] = {}  # only text values
    affinity: bytes = b""  # the start of the prompt: calls that share it profit from one provider's cache
    length: int = 0  # bytes of the body
    dropped: tuple[str, ...] = ()  # members that do not go on to a provider, in small letters


def read(operation: Operation, body: bytes) -> Request:
    """Raises BadRequest and UnsupportedParameter; `param` names the member to blame."""
    members = read_members(body)
    dropped = _without_other_models(members)
    nulls = [name for name, raw in members.items() if _is_null(raw)] if b"null" in body else ()
    present = members if not nulls else {name: raw for name, raw in members.items() if name not in nulls}

    if operation == "chat":
        _check_style(present)
        members.pop("style", None)
    request = Request(operation=operation, members=members, model=_model(operation, present), length=len(body))
    request.dropped = dropped
    prompt, request.prompts = _PROMPTS[operation](present)
    request.affinity = bytes(memoryview(prompt)[:AFFINITY_BYTES])
    if operation in ("chat", "completions"):
        request.choices = request.prompts * (_integer(present, "n") or 1)
        request.n = max(request.choices, request.prompts * (_integer(present, "best_of") or 1))
    _read_stream(request, present)
    _read_caps(request, present)
    if operation in ("chat", "completions"):
        _read_uncapped(request, present)
    _read_tags(request, present)
    return request


def write(
    request: Request,
    *,
    model: str,
    stream: bool,
    include_usage: bool,
    added_cap: tuple[str, int] | None = None,
) -> bytes:
    """The body for a provider that calls the model `model`: every member as it came, but for what the gateway decides.

    stream: how the provider is to answer, whatever the caller asked. include_usage: force a usage chunk, only where the
    answer streams; the caller's other stream options stay. added_cap: an output cap (name, tokens) nobody had named.
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
    if added_cap is not None:
        name, tokens = added_cap
        members[name] = Raw(_encode(tokens))
    return _encode(members)


def _without_other_models(members: Members) -> tuple[str, ...]:
    """Drop what names other models, whatever its case, and tell what that was.

    Raises BadRequest for a member that decides the cost and is not spelled as it is: some servers read names whatever
    their case, and the last of a name, so that what is checked here would not be what counts there.
    """
    dropped: dict[str, str] = {}
    for name in members:
        if name in _DECIDING:
            continue
        meant = name.casefold()
        if meant in _DECIDING:
            shown = name[:40]
            raise BadRequest(f"'{shown}' is read as '{meant}' by some providers: write it so.", param=shown)
        if meant in _OTHER_MODELS and _names_models(meant, members[name]):
            dropped[name] = meant
    for name in dropped:
        del members[name]
    return tuple(dict.fromkeys(dropped.values()))


def _names_models(name: str, raw: Raw) -> bool:
    """Options of a provider (Vercel) may hold other models, for a provider each."""
    if name != "provideroptions":
        return not _is_null(raw)
    providers = (_decode(raw, dict[str, object]) or {}).values()
    return any(
        option.casefold() == "models" for options in providers if isinstance(options, dict) for option in options
    )


def _model(operation: Operation, members: Members) -> str:
    raw = members.get("model")
    if raw is None:
        if operation == "moderations":
            return _MODERATION_MODEL
        raise _missing("model")
    model = _decode(raw, str)
    if model is None:
        raise BadRequest("'model' must be a string.", param="model")
    if not model or len(model) > MODEL_CHARACTERS_MAX:
        raise BadRequest(f"'model' must have 1 to {MODEL_CHARACTERS_MAX} characters.", param="model")
    return model


def _check_style(members: Members) -> None:
    raw = members.get("style")
    if raw is None:
        return
    style = _decode(raw, str)
    if style == "openai":
        return
    if style in _STYLES_TO_COME:
        raise UnsupportedParameter(f"'style': '{style}' is not offered yet; only 'openai' is.", param="style")
    raise BadRequest("'style' must be 'openai', 'claude' or 'gemini'.", param="style")


def _chat_prompt(members: Members) -> tuple[Raw, int]:
    raw = members.get("messages")
    if raw is None:
        if "input" in members:
            raise BadRequest(
                "Missing required parameter: 'messages'. This body has 'input', as for /v1/responses: "
                "send it there; on this path that form is not offered yet.",
                param="messages",
            )
        raise _missing("messages")
    if _first(raw, "messages", "an array of messages") != b"{":
        raise BadRequest("'messages[0]' must be an object with a 'role'.", param="messages[0]")
    return raw, 1


def _completions_prompt(members: Members) -> tuple[Raw, int]:
    """A prompt, and how many it holds: each is answered `n` times."""
    raw = members.get("prompt")
    if raw is None:
        raise _missing("prompt")
    return raw, _texts_or_tokens(raw, "prompt")


def _embeddings_input(members: Members) -> tuple[Raw, int]:
    raw = members.get("input")
    if raw is None:
        raise _missing("input")
    return raw, _texts_or_tokens(raw, "input")


def _moderations_input(members: Members) -> tuple[Raw, int]:
    raw = members.get("input")
    if raw is None:
        raise _missing("input")
    if _is_text(raw):
        return raw, 1
    texts = _first(raw, "input", "a string or an array") == b'"'
    inputs: list[str] | list[dict[str, Raw]] | None
    inputs = _decode(raw, list[str]) if texts else _decode(raw, list[dict[str, Raw]])
    if inputs is None:
        raise BadRequest("'input' must be a string, an array of strings or an array of parts.", param="input")
    return raw, len(inputs)


def _responses_input(members: Members) -> tuple[Raw, int]:
    if "background" in members and _decode(members["background"], bool):
        # Its usage is known only to who asks for it later, and there is no later here.
        raise UnsupportedParameter(
            "'background' is not offered here: the answer could not be fetched. Stream it, or wait for it.",
            param="background",
        )
    raw = members.get("input")
    if raw is None:
        if "prompt" in members:  # a stored prompt brings its own input
            return members["prompt"], 1
        raise _missing("input")
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


def _texts_or_tokens(raw: Raw, name: str) -> int:
    """Count a string, strings, token ids or arrays of token ids as the texts they are."""
    if _is_text(raw):
        return 1
    wanted = "a string, an array of strings, or an array (of arrays) of token ids"
    first = _first(raw, name, wanted)
    if first == b'"':
        texts: list[str] | list[list[int]] | None = _decode(raw, list[str])
    elif first == b"[":
        texts = _decode(raw, list[list[int]])
    else:
        texts = [""] if _decode(raw, list[int]) is not None else None
    if texts is None:
        raise BadRequest(f"'{name}' must be {wanted}.", param=name)
    return len(texts)


def _read_stream(request: Request, members: Members) -> None:
    streams = False
    raw = members.get("stream")
    if raw is not None:
        value = _decode(raw, bool)
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
    if include_usage is not None and not _is_null(include_usage):
        wanted = _decode(include_usage, bool)
        if wanted is None:
            raise BadRequest(
                "'stream_options.include_usage' must be true or false.", param="stream_options.include_usage"
            )
        request.wants_usage = wanted


def _stream_options(members: Members) -> dict[str, Raw] | None:
    raw = members.get("stream_options")
    if raw is None or _is_null(raw):
        return None
    options = _decode(raw, dict[str, Raw])
    if options is None:
        raise BadRequest("'stream_options' must be an object.", param="stream_options")
    return options


def _read_caps(request: Request, members: Members) -> None:
    for name in _EVERY_CAP:
        if name not in members:
            continue
        cap = _integer(members, name)
        if cap is not None and name in _CAPS[request.operation] and cap > (request.output_cap or 0):
            request.output_cap, request.cap_param = cap, name


def _read_uncapped(request: Request, members: Members) -> None:
    """A prediction is paid as output where the model does not follow it. Thinking has its budget inside the cap, and
    Qwen, who calls it `thinking_budget`, beside it; without one its thoughts are as long as they get. What is not
    understood is the provider's to judge."""
    if "prediction" in members:
        request.uncapped = len(members["prediction"])
    budget = _tokens(members.get("thinking_budget"))
    request.uncapped += budget
    if "enable_thinking" in members and not budget:
        request.thinks_beside = bool(_decode(members["enable_thinking"], bool))
    for name, part in (("thinking", "budget_tokens"), ("reasoning", "max_tokens")):
        if name in members:
            inside = _decode(members[name], dict[str, Raw]) or {}
            request.thinking = max(request.thinking, _tokens(inside.get(part)))


def _tokens(raw: Raw | None) -> int:
    """A figure that is not checked here: what is none counts for nothing."""
    return 0 if raw is None else min(max(0, _decode(raw, int) or 0), TOKENS_MAX)


def _read_tags(request: Request, members: Members) -> None:
    """What costs may be grouped by; a value of another kind is no error here."""
    if "user" in members:
        request.user = _decode(members["user"], str)
    if "metadata" in members:
        metadata = _decode(members["metadata"], dict[str, Raw]) or {}
        texts = {name: _decode(raw, str) for name, raw in metadata.items()}
        request.metadata = {name: text for name, text in texts.items() if text is not None}


def _integer(members: Members, name: str) -> int | None:
    """An integer from 1 on. `1.0`, `"1"` and `true` are none."""
    raw = members.get(name)
    if raw is None:
        return None
    digits = bytes(raw)
    if not digits.isdigit() or len(digits) > 10 or not 1 <= int(digits) <= TOKENS_MAX:
        raise BadRequest(f"'{name}' must be an integer of at least 1 (and at most {TOKENS_MAX}).", param=name)
    return int(digits)


def _is_null(raw: Raw) -> bool:
    return bytes(memoryview(raw)[:5]) == b"null"


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


def _decode(raw: Raw, kind: type[_T]) -> _T | None:
    """A member's value, or None where it is of another kind (the JSON itself has been checked)."""
    try:
        return msgspec.json.decode(raw, type=kind)
    except (msgspec.DecodeError, RecursionError):
        return None


def _missing(name: str) -> BadRequest:
    return BadRequest(f"Missing required parameter: '{name}'.", param=name)
