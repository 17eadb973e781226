"""A request of Gemini's, read into core words: all but its contents."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from tollhouse.core.conversation import (
    Choosing,
    Conversation,
    Message,
    OutputForm,
    TextPart,
    Tool,
    ToolChoice,
)
from tollhouse.core.failure import BadRequest
from tollhouse.core.features import note
from tollhouse.core.model_request import ModelRequest
from tollhouse.formats.gemini.contents import parts_of, text_under
from tollhouse.formats.gemini.parameters import BODY, CONFIG, FUNCTION, OWN_TOOLS, SEARCHES
from tollhouse.formats.gemini.spelling import unknown
from tollhouse.formats.gemini.words.read_contents import read_contents
from tollhouse.formats.gemini.words.schema import to_json_schema
from tollhouse.formats.gemini.words.thinking import read_thinking
from tollhouse.formats.gemini.words.values import Place, body_of

STOPS_MAX: Final = 4
"""Texts at which an answer ends, as most formats take them; Gemini takes five."""
_CHOOSING: Final[Mapping[str, Choosing]] = MappingProxyType(
    {"AUTO": "auto", "ANY": "required", "NONE": "none", "VALIDATED": "auto", "MODE_UNSPECIFIED": "auto", "": "auto"}
)
_NAMED: Final[Mapping[str, str]] = MappingProxyType(
    {"safetySettings": "safety_settings", "cachedContent": "cached_content", "labels": "metadata", "store": "store"}
)
"""Members that are noted by their name alone."""
_QUIET: Final = ("mediaResolution", "audioTimestamp", "enableEnhancedCivicAnswers")


def read_request(request: ModelRequest) -> Conversation:
    """Raises BadRequest; `param` names the member."""
    body = body_of(request)
    conversation = Conversation(messages=[])
    system = body.get("systemInstruction")
    texts = [TextPart(text=text) for part in parts_of(system) if (text := text_under(part, "text"))]
    if texts:
        conversation.messages.append(Message(role="system", parts=[*texts]))
    read_contents(conversation, body.get("contents"), body.path("contents"))
    config = body.object("generationConfig") or Place({})
    _read_sampling(conversation, config)
    _read_output(conversation, config)
    read_thinking(conversation, config)
    _read_tools(conversation, body.objects("tools"))
    _read_tool_config(conversation, body)
    for name, feature in _NAMED.items():
        if body.has(name):
            note(conversation, feature, body.path(name))
    if request.tier and request.tier_param:
        note(conversation, "service_tier", request.tier_param)
        conversation.service_tier = request.tier
    for name in [*unknown(body.value, BODY), "modelArmorConfig"]:
        if body.has(name):
            note(conversation, "other", body.path(name))
    for name in [*unknown(config.value, CONFIG), *_QUIET]:
        if config.has(name):
            note(conversation, "other", config.path(name))
    return conversation


def _read_sampling(conversation: Conversation, config: Place) -> None:
    conversation.temperature, conversation.top_p = config.number("temperature"), config.number("topP")
    conversation.top_k, conversation.seed = config.integer("topK"), config.integer("seed")
    conversation.presence_penalty = config.number("presencePenalty")
    conversation.frequency_penalty = config.number("frequencyPenalty")
    for name, feature in (("topK", "top_k"), ("presencePenalty", "penalties"), ("frequencyPenalty", "penalties")):
        if config.number(name):
            note(conversation, feature, config.path(name))
    if conversation.seed is not None:
        note(conversation, "seed", config.path("seed"))
    conversation.n = config.integer("candidateCount") or 1
    if conversation.n > 1:
        note(conversation, "n", config.path("candidateCount"))
    conversation.stop = [one for one in config.texts("stopSequences") if one]
    if conversation.stop:
        note(conversation, "stop", config.path("stopSequences"))
    if len(conversation.stop) > STOPS_MAX:
        note(conversation, "stop_many", config.path("stopSequences"))
    if config.flag("responseLogprobs"):
        note(conversation, "logprobs", config.path("responseLogprobs"))
        conversation.logprobs, conversation.top_logprobs = True, config.integer("logprobs")


def _read_output(conversation: Conversation, config: Place) -> None:
    """The form of the answer, and whether it is more than text."""
    for name in ("responseJsonSchema", "_responseJsonSchema", "responseSchema"):
        schema = config.object(name)
        if schema is not None:
            read = to_json_schema(schema.value)
            note(conversation, "json_schema", config.path(name))
            conversation.output = OutputForm(schema=read, description=text_under(read, "description"))
            break
    media_type = config.text("responseMimeType").lower()
    if media_type == "application/json" and conversation.output is None:
        note(conversation, "json_object", config.path("responseMimeType"))
        conversation.output = OutputForm()
    elif media_type and media_type not in ("application/json", "text/plain"):  # as text/x.enum
        note(conversation, "output_grammars", config.path("responseMimeType"))
    _read_forms(conversation, config)
    modalities = [one.upper() for one in config.texts("responseModalities")]
    for modality in dict.fromkeys(modalities):
        if modality == "AUDIO":
            note(conversation, "audio_output", config.path("responseModalities"))
        elif modality not in ("TEXT", "MODALITY_UNSPECIFIED"):
            note(conversation, "image_output", config.path("responseModalities"))
    for name, of in (("speechConfig", "AUDIO"), ("imageConfig", "IMAGE")):
        if config.has(name) and of not in modalities:
            note(conversation, "other", config.path(name))


def _read_forms(conversation: Conversation, config: Place) -> None:
    """`responseFormat`, the newer way to say the same, one for each modality."""
    for form in config.objects("responseFormat"):
        for name, feature in (("audio", "audio_output"), ("image", "image_output"), ("video", "image_output")):
            if form.object(name) is not None:
                note(conversation, feature, form.path(name))
        text = form.object("text")
        if text is None:
            continue
        schema = text.object("schema")
        is_json = text.text("mimeType").upper() in ("APPLICATION_JSON", "APPLICATION/JSON")
        if schema is not None:
            note(conversation, "json_schema", text.path("schema"))
            read = to_json_schema(schema.value)
            conversation.output = OutputForm(schema=read, description=text_under(read, "description"))
        elif is_json and conversation.output is None:
            note(conversation, "json_object", text.path("mimeType"))
            conversation.output = OutputForm()


def _read_tools(conversation: Conversation, tools: Sequence[Place]) -> None:
    """A search that the vendor runs is only refused where nothing else is offered, as in every format."""
    for tool in tools:
        for function in tool.objects("functionDeclarations"):
            _read_function(conversation, function)
    for tool in tools:
        for name, value in tool.value.items():
            if unknown((name,), OWN_TOOLS) and value not in (None, False):
                is_beside = bool(conversation.tools) and not unknown((name,), SEARCHES)
                note(conversation, "offered_tools" if is_beside else "built_in_tools", tool.path(name))


def _read_function(conversation: Conversation, function: Place) -> None:
    path = function.path("name").rpartition(".")[0]
    note(conversation, "tools", path)
    name = function.text("name")
    if not name:
        raise BadRequest(f"'{function.path('name')}' must be a name.", param=function.path("name"))
    conversation.tools.append(
        Tool(name=name, description=function.text("description"), parameters=_parameters(function))
    )
    for other in [*unknown(function.value, FUNCTION), "response", "responseJsonSchema", "behavior"]:
        if function.has(other):
            note(conversation, "other", function.path(other))


def _parameters(function: Place) -> dict[str, object] | None:
    """Types in capitals are written in JSON Schema as well: google-genai's own constants are so."""
    whole = function.object("parametersJsonSchema") or function.object("parameters")
    return None if whole is None else to_json_schema(whole.value)


def _read_tool_config(conversation: Conversation, body: Place) -> None:
    settings = body.object("toolConfig")
    if settings is None:
        return
    for name in settings.value:
        if unknown((name,), frozenset(("functionCallingConfig",))) and settings.has(name):
            note(conversation, "other", settings.path(name))
    calling = settings.object("functionCallingConfig")
    if calling is None:
        return
    mode, names = calling.text("mode").upper(), tuple(calling.texts("allowedFunctionNames"))
    if mode not in _CHOOSING:
        raise BadRequest(f"'{calling.path('mode')}' must be AUTO, ANY, NONE or VALIDATED.", param=calling.path("mode"))
    if mode == "VALIDATED":
        note(conversation, "strict_tools", calling.path("mode"))
    if calling.has("streamFunctionCallArguments"):
        note(conversation, "other", calling.path("streamFunctionCallArguments"))
    choosing = _CHOOSING[mode]
    if names and choosing == "required" and len(names) == 1:
        note(conversation, "tool_choice_named", calling.path("allowedFunctionNames"))
        conversation.tool_choice = ToolChoice(choosing="named", names=names)
    elif names and choosing != "none":
        note(conversation, "tool_choice_several", calling.path("allowedFunctionNames"))
        conversation.tool_choice = ToolChoice(choosing=choosing, names=names)
    elif mode:
        conversation.tool_choice = ToolChoice(choosing=choosing)
