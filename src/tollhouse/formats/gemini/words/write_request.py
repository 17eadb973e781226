"""A request as a provider of this format gets it, written from core words: all but its contents."""

import re
from typing import Final

from tollhouse.core.conversation import Conversation, Message, Tool
from tollhouse.core.features import leave_out
from tollhouse.core.form_in_words import form_in_words
from tollhouse.core.provider_json import Object, encode
from tollhouse.core.text_tools import described, input_schema
from tollhouse.core.tool_schema import tool_schema
from tollhouse.formats.gemini.words.schema_written import from_json_schema
from tollhouse.formats.gemini.words.thinking import write_thinking
from tollhouse.formats.gemini.words.write_contents import write_contents

SAYS: Final = frozenset(
    (
        *("images", "image_urls", "audio", "video", "files", "file_urls", "tool_result_media", "tool_errors", "tools"),
        *("custom_tools", "tool_choice_named", "tool_choice_several", "json_object", "json_schema", "stop", "n"),
        *("logprobs", "top_k", "penalties", "seed", "reasoning", "reasoning_off", "service_tier"),
        "image_output",
    )
)
_MEMBERS: Final = ("properties", "additionalProperties", "patternProperties")
"""Of a schema: whether there is anything that a function takes. The schema of nothing is refused."""

_NO_PENALTIES: Final = re.compile(r"gemini-(?:2[.-]5|[3-9]|[a-z])", re.IGNORECASE)
"""Models for which penalties are "not enabled" (google-gemini/cookbook#1290)."""
_FORM_OR_TOOLS: Final = re.compile(r"gemini-[12](?![0-9])", re.IGNORECASE)
"""Models that refuse functions beside a form of the answer (googleapis/python-genai#867)."""
TAKES_NAMES: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.:-]{0,63}")
"""Of functions."""


def write_request(
    conversation: Conversation,
    /,
    *,
    model: str,
    stream: bool,
    include_usage: bool,
    caps: tuple[str, ...] = (),
    others: bool = True,
) -> bytes:
    """See `core.words.WriteConversation`. The model and the stream stand in the path."""
    body = write_contents([*_form_or_tools(conversation, model), *conversation.messages], model)
    if conversation.tools:
        body["tools"] = [{"functionDeclarations": list(map(_function, conversation.tools))}]
        if calling := _calling(conversation):
            body["toolConfig"] = {"functionCallingConfig": calling}
    if config := _config(conversation, model):
        body["generationConfig"] = config
    if conversation.service_tier:
        body["serviceTier"] = conversation.service_tier
    return encode(body)


def _form_or_tools(conversation: Conversation, model: str) -> list[Message]:
    """Older models take functions or a form of the answer, not both: functions that may not be called are left out,
    and else the form is told in words."""
    form, choice = conversation.output, conversation.tool_choice
    if form is None or not conversation.tools or _FORM_OR_TOOLS.search(model) is None:
        return []
    if choice is not None and choice.choosing == "none":
        conversation.tools = []
        return []
    leave_out(conversation, "json_object" if form.schema is None else "json_schema")
    conversation.output = None
    return [form_in_words(form, may_call=True)]


def _function(tool: Tool) -> Object:
    function: Object = {"name": tool.name}
    if description := described(tool):
        function["description"] = description
    if tool.is_custom:
        function["parametersJsonSchema"] = input_schema(tool.name)
    elif any((schema := tool_schema(from_json_schema(tool.parameters or {}))).get(name) for name in _MEMBERS):
        function["parametersJsonSchema"] = schema
    return function


def _calling(conversation: Conversation) -> Object:
    choice = conversation.tool_choice
    if choice is None or (choice.choosing == "auto" and not choice.names):
        return {}
    if choice.choosing == "none":
        return {"mode": "NONE"}
    names: Object = {"allowedFunctionNames": list(choice.names)} if choice.names else {}
    return {"mode": "VALIDATED" if choice.choosing == "auto" else "ANY", **names}


def _cap(conversation: Conversation) -> int | None:
    """No more than the model can answer with: Vertex AI refuses a cap that is out of its range."""
    cap, longest = conversation.output_cap, conversation.longest_answer
    return cap if cap is None or longest is None else min(cap, longest)


def _config(conversation: Conversation, model: str) -> Object:
    named: Object = {
        "maxOutputTokens": _cap(conversation),
        "temperature": conversation.temperature,
        "topP": conversation.top_p,
        "topK": conversation.top_k,
        "seed": conversation.seed,
        "presencePenalty": conversation.presence_penalty,
        "frequencyPenalty": conversation.frequency_penalty,
        "candidateCount": conversation.n if conversation.n > 1 else None,
        "stopSequences": conversation.stop or None,
    }
    if _NO_PENALTIES.search(model) is not None:
        named["presencePenalty"] = named["frequencyPenalty"] = None
        if "penalties" in conversation.uses:
            leave_out(conversation, "penalties")
    config = {name: value for name, value in named.items() if value is not None}
    if conversation.draws:
        config["responseModalities"] = ["TEXT", "IMAGE"]
    if conversation.logprobs:
        config["responseLogprobs"] = True
        if conversation.top_logprobs:
            config["logprobs"] = conversation.top_logprobs
    form = conversation.output
    if form is not None:
        config["responseMimeType"] = "application/json"
        if form.schema is not None:
            config["responseJsonSchema"] = from_json_schema(form.schema)
    if conversation.reasoning is not None and (thinking := write_thinking(conversation.reasoning, model)):
        config["thinkingConfig"] = thinking
    return config
