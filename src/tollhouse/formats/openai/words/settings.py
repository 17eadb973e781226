"""What chat, completions and responses name by the same members: sampling, ends, and who asks."""

from typing import Any, Final

from tollhouse.core.conversation import Conversation, OutputForm, ReasoningAsked
from tollhouse.core.failure import BadRequest
from tollhouse.core.features import note
from tollhouse.core.model_request import ModelRequest
from tollhouse.formats.openai.words.members import Object, asks, decode, flag, integer, number, object_of, text

STOPS_MAX: Final = 4
USER_CHARACTERS_MAX: Final = 64
"""Of who the end user is, in what is sent."""
_BY_NAME: Final = {
    "top_k": "top_k",
    "min_p": "min_p",
    "presence_penalty": "penalties",
    "frequency_penalty": "penalties",
    "seed": "seed",
}
_FEATURES: Final = {
    **_BY_NAME,
    "prediction": "prediction",
    "metadata": "metadata",
    "prompt_cache_key": "cache_keys",
    "prompt_cache_retention": "cache_keys",
    "web_search_options": "built_in_tools",
    "search_parameters": "built_in_tools",
    "enable_search": "built_in_tools",
    "plugins": "built_in_tools",
}
SETTINGS: Final = frozenset(
    (
        *("model", "stream", "stream_options", "temperature", "top_p", "user", "safety_identifier", "service_tier"),
        *("store", "stop", "stop_sequences", "n", "max_tokens", "max_completion_tokens", "max_output_tokens"),
        *_FEATURES,
    )
)
"""Members that `read_settings` reads, or that the gateway decides."""


def read_settings(conversation: Conversation, request: ModelRequest) -> None:
    """Sampling, seed, stop sequences, the end user, and what is dropped or refused by its name alone."""
    members = request.members
    conversation.temperature = number(decode(request, "temperature"), "temperature")
    conversation.top_p = number(decode(request, "top_p"), "top_p")
    conversation.n = integer(decode(request, "n"), "n") or 1
    if conversation.n > 1:
        note(conversation, "n", "n")
    for name, feature in _FEATURES.items():
        value = decode(request, name) if name in members else None
        if asks(value) or (name == "web_search_options" and value == {}):  # which asks for a search as it is usual
            if name in _BY_NAME:
                _read_figure(conversation, name, value)
                value = getattr(conversation, name)
            if value != 0 or name == "seed":
                note(conversation, feature, name)
    _read_stops(conversation, request)
    for name in ("user", "safety_identifier"):
        value = decode(request, name) if name in members else None
        if isinstance(value, str) and value:
            note(conversation, "user", name)
            conversation.user = value
    if request.tier and request.tier_param == "service_tier":
        note(conversation, "service_tier", "service_tier")
        conversation.service_tier = request.tier
    if "store" in members and decode(request, "store"):
        note(conversation, "store", "store")


def _read_figure(conversation: Conversation, name: str, value: Any) -> None:
    if name in ("top_k", "seed"):
        setattr(conversation, name, integer(value, name))
    else:
        setattr(conversation, name, number(value, name))


def _read_stops(conversation: Conversation, request: ModelRequest) -> None:
    for name in ("stop", "stop_sequences"):
        value = decode(request, name) if name in request.members else None
        if value is None:
            continue
        stops = [value] if isinstance(value, str) else value
        if not isinstance(stops, list) or not all(isinstance(one, str) for one in stops):
            raise BadRequest(f"'{name}' must be a string or an array of strings.", param=name)
        conversation.stop = [one for one in stops if one]
        if conversation.stop:
            note(conversation, "stop", name)
        if len(conversation.stop) > STOPS_MAX:
            note(conversation, "stop_many", name)


def read_output_form(conversation: Conversation, value: object, path: str) -> None:
    """`response_format` of a chat, `text.format` of a response: the schema stands in it, or in `json_schema`."""
    if value is None:
        return
    form = object_of(value, path)
    kind = form.get("type", "text")
    if kind == "json_object":
        note(conversation, "json_object", path)
        conversation.output = OutputForm()
    elif kind == "json_schema":
        inner = form.get("json_schema")
        said: Object = inner if isinstance(inner, dict) else form
        note(conversation, "json_schema", path)
        schema = said.get("schema")
        conversation.output = OutputForm(
            schema={} if schema is None else object_of(schema, f"{path}.schema"),
            name=said["name"] if isinstance(said.get("name"), str) else "",
            description=said["description"] if isinstance(said.get("description"), str) else "",
            strict=flag(said.get("strict"), f"{path}.strict"),
        )
    elif kind != "text":
        note(conversation, "output_grammars", path)


def read_effort(conversation: Conversation, value: object, path: str) -> None:
    """How long the model is to think, by one word."""
    if value is None:
        return
    effort = text(value, path).lower()
    if effort in ("none", "off"):
        note(conversation, "reasoning_off", path)
        conversation.reasoning = ReasoningAsked(enabled=False)
    elif effort:
        note(conversation, "reasoning", path)
        conversation.reasoning = ReasoningAsked(effort=effort)


_BUDGETS: Final = ((2_048, "low"), (16_384, "medium"))
_EFFORTS: Final = frozenset(("minimal", "low", "medium", "high", "xhigh"))


def effort_of(reasoning: ReasoningAsked) -> str:
    """The word for how long to think: a budget of tokens becomes one; empty: the provider's own."""
    if reasoning.effort:
        word = reasoning.effort.lower()
        return {"max": "xhigh"}.get(word, word if word in _EFFORTS else "high")
    if reasoning.budget is None or reasoning.budget < 0:
        return ""
    return next((word for most, word in _BUDGETS if reasoning.budget <= most), "high")
