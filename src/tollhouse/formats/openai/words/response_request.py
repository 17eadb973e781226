"""The request of a response, read into core words: all but its input."""

from typing import Final

from tollhouse.core.conversation import Conversation, Message, ReasoningAsked, TextPart
from tollhouse.core.features import note
from tollhouse.core.model_request import ModelRequest
from tollhouse.formats.openai.summaries import ask_for_summary
from tollhouse.formats.openai.words.members import Object, array, asks, decode, flag, integer, object_of, text
from tollhouse.formats.openai.words.requested_tools import read_tool_choice, read_tools
from tollhouse.formats.openai.words.response_input import read_input
from tollhouse.formats.openai.words.settings import SETTINGS, read_effort, read_output_form, read_settings

_STATE: Final = ("previous_response_id", "conversation", "prompt")
_ENCRYPTED: Final = "reasoning.encrypted_content"
_LOGPROBS: Final = "message.output_text.logprobs"
_KNOWN: Final = SETTINGS | {
    *("input", "instructions", "tools", "tool_choice", "parallel_tool_calls", "text", "reasoning", "include"),
    *("top_logprobs", "truncation", "background", "style", *_STATE),
}


def read_request(request: ModelRequest) -> Conversation:
    """Raises BadRequest and UnsupportedParameter; `param` names the member."""
    conversation = Conversation(messages=[])
    _read_instructions(conversation, decode(request, "instructions"))
    read_input(conversation, decode(request, "input"))
    read_settings(conversation, request)
    read_tools(conversation, decode(request, "tools"))
    read_tool_choice(conversation, decode(request, "tool_choice"))
    conversation.parallel_tool_calls = flag(decode(request, "parallel_tool_calls"), "parallel_tool_calls")
    if conversation.parallel_tool_calls is False:
        note(conversation, "parallel_tool_calls", "parallel_tool_calls")
    _read_text(conversation, decode(request, "text"))
    _read_reasoning(conversation, decode(request, "reasoning"))
    _read_include(conversation, decode(request, "include"))
    if conversation.answer_stands_for:
        ask_for_summary(conversation)
    if top := integer(decode(request, "top_logprobs"), "top_logprobs"):
        conversation.logprobs, conversation.top_logprobs = True, top
        note(conversation, "logprobs", "top_logprobs")
    for name in _STATE:
        if asks(decode(request, name)):
            note(conversation, "state", name)
    if asks(decode(request, "background")):
        note(conversation, "background", "background")
    if decode(request, "truncation") not in (None, "disabled"):
        note(conversation, "truncation", "truncation")
    for name in request.members:
        if name not in _KNOWN and asks(decode(request, name)):
            note(conversation, "other", name)
    return conversation


def _read_instructions(conversation: Conversation, instructions: object) -> None:
    if isinstance(instructions, str) and instructions:
        conversation.messages.append(Message(role="system", parts=[TextPart(text=instructions)]))
    elif isinstance(instructions, list):
        read_input(conversation, instructions, "instructions")


def _read_text(conversation: Conversation, value: object) -> None:
    if value is None:
        return
    settings = object_of(value, "text")
    if conversation.output is None:  # likewise
        read_output_form(conversation, settings.get("format"), "text.format")
    verbosity = settings.get("verbosity")
    if verbosity is not None:
        conversation.verbosity = text(verbosity, "text.verbosity")
        note(conversation, "verbosity", "text.verbosity")


def _read_reasoning(conversation: Conversation, value: object) -> None:
    if value is None:
        return
    settings: Object = object_of(value, "reasoning")
    if conversation.reasoning is None:  # no item has changed it
        read_effort(conversation, settings.get("effort"), "reasoning.effort")
    summary = settings.get("summary") or settings.get("generate_summary")
    if not isinstance(summary, str):
        return
    asked = conversation.reasoning or ReasoningAsked()
    if asked.enabled:
        note(conversation, "reasoning", "reasoning.summary")
        conversation.reasoning = ReasoningAsked(effort=asked.effort, summary=summary, visible=True)


def _read_include(conversation: Conversation, value: object) -> None:
    for at, one in enumerate(array(value, "include") if value is not None else ()):
        if one == _ENCRYPTED:
            asked = conversation.reasoning
            if asked is not None and asked.enabled:
                conversation.reasoning = ReasoningAsked(
                    effort=asked.effort, summary=asked.summary, visible=asked.visible, encrypted=True
                )
        elif one == _LOGPROBS:
            conversation.logprobs = True
            note(conversation, "logprobs", f"include[{at}]")
        else:
            note(conversation, "other", f"include[{at}]")
