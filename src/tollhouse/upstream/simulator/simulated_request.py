"""What a request body asks of a provider, as far as the simulator obeys it."""

from collections.abc import Iterator
from typing import Final

import msgspec
from msgspec import Struct

from tollhouse.core.failure import BadRequest, UnsupportedParameter
from tollhouse.core.model_request import ModelRequest
from tollhouse.core.operation import Operation
from tollhouse.formats.openai import request as requests
from tollhouse.upstream.simulator.bounds import (
    ANSWERS_MAX,
    DEPTH_MAX,
    FIGURES_MAX,
    MODERATIONS_MAX,
    STOPS_MAX,
    TEXT_MAX,
    require,
)
from tollhouse.upstream.simulator.outlined import outlined

DIMENSIONS_DEFAULT: Final = 1536
_DIMENSIONS_MAX: Final = 4096
_INPUTS_MAX: Final = 2048
_ANSWERS_MAX: Final = 128  # to one input: as the original
_TOOL_NAME_MAX: Final = 128
_ANY_JSON: Final[dict[str, object]] = {"type": "object", "properties": {"answer": {"type": "string"}}}
_REPEATED: Final = (
    *("instructions", "max_output_tokens", "temperature", "top_p", "metadata", "tools", "tool_choice", "text"),
    *("reasoning", "parallel_tool_calls", "store", "truncation", "user", "top_logprobs", "max_tool_calls"),
    *("prompt_cache_key", "safety_identifier"),
)
_KEPT_BY_PROVIDERS: Final = ("previous_response_id", "conversation")
_TOOL_RESULTS: Final = ("function_call_output", "custom_tool_call_output")

_Object = dict[str, object]


class SimulatedRequest(Struct, frozen=True, kw_only=True):
    operation: Operation
    model: str
    stream: bool
    wants_usage: bool  # in the stream
    inputs: tuple[str | list[int], ...]  # embeddings, moderations, completions: the texts or token ids, one answer each
    prompt: tuple[str, ...]  # every text the model reads
    media: int  # parts without text: images, audio, files
    last: str  # what was said last
    replies_to_tool: bool
    n: int  # answers to each input
    cap: int | None  # output tokens of one answer
    cap_param: str | None  # the member that named it
    stop: tuple[str, ...]
    tools: dict[str, object]  # name -> JSON schema of its arguments
    forced_tool: str | None
    schema: object  # the answer must be JSON of this schema; None: it is text
    logprobs: bool
    dimensions: int
    base64: bool
    repeated: dict[str, msgspec.Raw] = {}  # members that a response says again
    has_functions: bool = False  # tools came as `functions`, and are called in that form


def read(body: bytes, operation: Operation) -> SimulatedRequest:
    """Read and check a body as a provider would. Raises BadRequest and UnsupportedParameter."""
    try:
        return _read(requests.read(operation, body))
    except RecursionError:
        raise BadRequest("The request body is nested too deeply: its JSON is not read.") from None


def _read(request: ModelRequest) -> SimulatedRequest:
    operation = request.operation
    members: _Object = {name: msgspec.json.decode(raw) for name, raw in request.members.items()}
    if operation == "responses":
        _require_state_of_its_own(members)
    tools = dict(_tools(members.get("tools"))) or dict(_tools(members.get("functions")))
    choice = members.get("tool_choice", members.get("function_call"))
    named = "prompt" if operation == "completions" else "input"
    inputs = _inputs(members.get(named))
    if len(inputs) > _INPUTS_MAX:
        raise BadRequest(f"'{named}' may hold at most {_INPUTS_MAX} entries.", param=named)
    n, dimensions = _answers(members.get("n")), _dimensions(members.get("dimensions"))
    stops = _listed(members.get("stop"))
    require(len(stops), STOPS_MAX, "stop sequences", "stop")
    if operation == "embeddings":
        require(len(inputs) * dimensions, FIGURES_MAX, "figures (inputs times dimensions)", named)
    elif operation == "moderations":
        require(len(inputs), MODERATIONS_MAX, "results", named)
    elif operation == "completions":
        require(len(inputs) * n, ANSWERS_MAX, "answers (prompts times n)", "n")
    prompt = tuple(_prompt(members))
    if sum(map(len, prompt)) > TEXT_MAX:
        raise BadRequest(f"The simulator reads at most {TEXT_MAX:,} characters of text a call.")
    turns = members.get("messages") if operation == "chat" else members.get("input")
    end: object = turns[-1] if operation in ("chat", "responses") and isinstance(turns, list) else None
    return SimulatedRequest(
        operation=operation,
        model=request.model,
        stream=request.stream,
        wants_usage=request.wants_usage,
        inputs=inputs,
        prompt=prompt,
        media=sum(map(_media, (members.get("messages"), members.get("input")))),
        last=" ".join(_texts(turns if end is None else end)) or " ".join(_texts(members.get("prompt"))),
        replies_to_tool=isinstance(end, dict)
        and (end.get("role") in ("tool", "function") or end.get("type") in _TOOL_RESULTS),
        n=n,
        cap=request.output_cap,
        cap_param=request.cap_param,
        stop=tuple(text for text in stops if isinstance(text, str) and text),
        tools=tools,
        forced_tool=_forced_tool(choice, tools),
        schema=_schema(members, prompt),
        logprobs=members.get("logprobs") is True,
        dimensions=dimensions,
        base64=_base64(members.get("encoding_format")),
        repeated={name: raw for name, raw in request.members.items() if name in _REPEATED and members[name] is not None}
        if operation == "responses"
        else {},
        has_functions=operation == "chat" and not members.get("tools") and bool(tools),
    )


def _require_state_of_its_own(members: _Object) -> None:
    """Raises UnsupportedParameter for what names something that a provider keeps: nothing is kept here."""
    for name in _KEPT_BY_PROVIDERS:
        if members.get(name) is not None:
            raise UnsupportedParameter(
                f"'{name}' cannot be answered here: the simulator keeps no responses. Send the whole conversation "
                "in 'input'.",
                param=name,
            )


def _prompt(members: _Object) -> Iterator[str]:
    for name in ("instructions", "messages", "input", "prompt"):
        yield from _texts(members.get(name))
    tools = members.get("tools") or members.get("functions")
    if tools:
        yield msgspec.json.encode(tools).decode()


def _texts(value: object, depth: int = 0) -> Iterator[str]:
    """The texts in a string, a message, a part, or a list of them; what lies deeper than any message is none."""
    if isinstance(value, str):
        yield value
    elif depth > DEPTH_MAX:
        return
    elif isinstance(value, list):
        for entry in value:
            yield from _texts(entry, depth + 1)
    elif isinstance(value, dict):
        for name in ("content", "text", "refusal", "name", "arguments", "output", "summary"):
            yield from _texts(value.get(name), depth + 1)
        for call in _listed(value.get("tool_calls")):
            if isinstance(call, dict):
                yield from _texts(call.get("function"), depth + 1)


def _media(value: object, depth: int = 0) -> int:
    """How many parts of messages are no text."""
    if depth > DEPTH_MAX:
        return 0
    if isinstance(value, list):
        return sum(_media(entry, depth + 1) for entry in value)
    if not isinstance(value, dict):
        return 0
    kind = value.get("type")
    is_media = isinstance(kind, str) and kind.removeprefix("input_") in ("image", "image_url", "audio", "file")
    return is_media + _media(value.get("content"), depth + 1)


def _inputs(value: object) -> tuple[str | list[int], ...]:
    """The texts or arrays of token ids that are answered one by one."""
    if isinstance(value, str):
        return (value,)
    if not isinstance(value, list):
        return ()
    if all(isinstance(entry, int) for entry in value):
        return (value,)
    if all(isinstance(entry, dict) for entry in value):  # parts of one input
        return (" ".join(_texts(value)),)
    return tuple(entry for entry in value if isinstance(entry, str | list))


def _tools(value: object) -> Iterator[tuple[str, object]]:
    """Name and schema of each function, in the form of chat or of responses."""
    for tool in _listed(value):
        function = tool.get("function", tool) if isinstance(tool, dict) else None
        if isinstance(function, dict) and isinstance(function.get("name"), str):
            yield function["name"], function.get("parameters")


def _forced_tool(choice: object, tools: _Object) -> str | None:
    if choice == "required":
        choice = {"name": next(iter(tools), None)}
    if not isinstance(choice, dict):
        return None
    function = choice.get("function", choice)
    name = function.get("name") if isinstance(function, dict) else None
    if not isinstance(name, str):
        return None
    if len(name) > _TOOL_NAME_MAX:
        raise BadRequest(f"a tool's name has at most {_TOOL_NAME_MAX} characters.", param="tool_choice")
    if name not in tools:
        raise BadRequest(f"'tool_choice' names '{name[:64]}', which is not among 'tools'.", param="tool_choice")
    return name


def _schema(members: _Object, prompt: tuple[str, ...]) -> object:
    text = members.get("text")
    wanted = members.get("response_format") or (text.get("format") if isinstance(text, dict) else None)
    if not isinstance(wanted, dict):
        return None
    if wanted.get("type") == "json_object":
        return outlined(prompt)
    if wanted.get("type") != "json_schema":
        return None
    named = wanted.get("json_schema", wanted)
    return (named.get("schema") if isinstance(named, dict) else None) or _ANY_JSON


def _answers(value: object) -> int:
    n = _number(value, 1)
    if n > _ANSWERS_MAX:
        raise BadRequest(f"'n' may be at most {_ANSWERS_MAX}.", param="n")
    return n


def _dimensions(value: object) -> int:
    dimensions = _number(value, DIMENSIONS_DEFAULT)
    if not 1 <= dimensions <= _DIMENSIONS_MAX:
        raise BadRequest(f"'dimensions' must be an integer from 1 to {_DIMENSIONS_MAX}.", param="dimensions")
    return dimensions


def _base64(value: object) -> bool:
    if value not in (None, "float", "base64"):
        raise BadRequest("'encoding_format' must be 'float' or 'base64'.", param="encoding_format")
    return value == "base64"


def _number(value: object, default: int) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else default


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else [] if value is None else [value]
