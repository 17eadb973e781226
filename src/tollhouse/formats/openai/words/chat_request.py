"""The request of a chat, read into core words: all but its messages."""

from typing import Final

from tollhouse.core.conversation import Conversation, ReasoningAsked
from tollhouse.core.features import note
from tollhouse.core.model_request import ModelRequest
from tollhouse.formats.openai.words.caller_tools import LEGACY
from tollhouse.formats.openai.words.chat_messages import read_messages
from tollhouse.formats.openai.words.members import Object, array, asks, decode, flag, integer, number, object_of, text
from tollhouse.formats.openai.words.requested_tools import read_function, read_tool_choice, read_tools
from tollhouse.formats.openai.words.settings import SETTINGS, read_effort, read_output_form, read_settings

_KNOWN: Final = SETTINGS | {
    *("messages", "tools", "tool_choice", "functions", "function_call", "parallel_tool_calls", "response_format"),
    *("logprobs", "top_logprobs", "logit_bias", "reasoning_effort", "reasoning", "thinking", "thinking_budget"),
    *("enable_thinking", "verbosity", "modalities", "audio", "style", "reasoning_format", "include_reasoning"),
}


def read_request(request: ModelRequest) -> Conversation:
    """Raises BadRequest and UnsupportedParameter; `param` names the member."""
    conversation = Conversation(messages=[])
    read_messages(conversation, decode(request, "messages"))
    read_settings(conversation, request)
    read_tools(conversation, decode(request, "tools"))
    read_tool_choice(conversation, decode(request, "tool_choice"))
    conversation.parallel_tool_calls = flag(decode(request, "parallel_tool_calls"), "parallel_tool_calls")
    if conversation.parallel_tool_calls is False:
        note(conversation, "parallel_tool_calls", "parallel_tool_calls")
    _read_functions(conversation, request)
    read_output_form(conversation, decode(request, "response_format"), "response_format")
    _read_probabilities(conversation, request)
    _read_reasoning(conversation, request)
    _read_modalities(conversation, request)
    verbosity = decode(request, "verbosity")
    if verbosity is not None:
        conversation.verbosity = text(verbosity, "verbosity")
        note(conversation, "verbosity", "verbosity")
    for name in request.members:
        if name not in _KNOWN and asks(decode(request, name)):
            note(conversation, "other", name)
    return conversation


def _read_functions(conversation: Conversation, request: ModelRequest) -> None:
    """`functions` and `function_call`, by which tools were asked for before there were `tools`."""
    functions, is_legacy = decode(request, "functions"), not conversation.tools
    for at, one in enumerate(array(functions, "functions") if functions is not None else ()):
        path = f"functions[{at}]"
        function = read_function(conversation, object_of(one, path), path)
        function.stands_for = LEGACY if is_legacy else ""
        conversation.tools.append(function)
    if functions:
        conversation.parallel_tool_calls = False  # an answer has room for one call
    choice = decode(request, "function_call")
    if isinstance(choice, dict):
        choice = {"type": "function", "function": choice}
    if choice is not None:
        read_tool_choice(conversation, choice, "function_call")


def _read_probabilities(conversation: Conversation, request: ModelRequest) -> None:
    conversation.logprobs = flag(decode(request, "logprobs"), "logprobs") or False
    conversation.top_logprobs = integer(decode(request, "top_logprobs"), "top_logprobs")
    if conversation.logprobs:
        note(conversation, "logprobs", "logprobs")
    biases = decode(request, "logit_bias")
    if biases:
        found = object_of(biases, "logit_bias")
        conversation.logit_bias = {token: number(bias, "logit_bias") or 0.0 for token, bias in found.items()}
        note(conversation, "logit_bias", "logit_bias")


def _read_reasoning(conversation: Conversation, request: ModelRequest) -> None:
    """`reasoning_effort`, OpenRouter's `reasoning`, Anthropic's `thinking`, Qwen's `enable_thinking`."""
    read_effort(conversation, decode(request, "reasoning_effort"), "reasoning_effort")
    reasoning = decode(request, "reasoning")
    if isinstance(reasoning, dict):
        _read_budget(conversation, reasoning, "reasoning", "max_tokens")
    thinking = decode(request, "thinking")
    if isinstance(thinking, dict):
        _read_budget(conversation, thinking, "thinking", "budget_tokens")
    enabled, budget = decode(request, "enable_thinking"), decode(request, "thinking_budget")
    if enabled is not None or budget is not None:
        name = "enable_thinking" if budget is None else "thinking_budget"
        _read_budget(conversation, {"enabled": enabled, "budget": budget}, name, "budget")


def _read_budget(conversation: Conversation, found: Object, path: str, budget_name: str) -> None:
    effort, budget = found.get("effort"), integer(found.get(budget_name), f"{path}.{budget_name}")
    if found.get("enabled") is False or found.get("type") == "disabled" or effort == "none" or budget == 0:
        note(conversation, "reasoning_off", path)
        conversation.reasoning = ReasoningAsked(enabled=False)
        return
    if effort is None and budget is None and not (found.get("enabled") or found.get("type") in ("enabled", "adaptive")):
        return
    note(conversation, "reasoning", path)
    conversation.reasoning = ReasoningAsked(
        effort=text(effort, f"{path}.effort") if effort else "",
        budget=budget,
        visible=False if found.get("exclude") else None,
    )


def _read_modalities(conversation: Conversation, request: ModelRequest) -> None:
    modalities = decode(request, "modalities")
    for at, one in enumerate(array(modalities, "modalities") if modalities is not None else ()):
        if one != "text":
            note(conversation, "image_output" if one == "image" else "audio_output", f"modalities[{at}]")
            conversation.draws = conversation.draws or one == "image"
