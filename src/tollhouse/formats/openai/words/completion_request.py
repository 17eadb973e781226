"""The request of a legacy completion, read into core words: its prompt is what a user says. No provider is asked in
this format for a call of another one."""

from typing import Final, Never

from tollhouse.core.conversation import Conversation, Message, TextPart
from tollhouse.core.failure import BadRequest, UnsupportedParameter
from tollhouse.core.features import note
from tollhouse.core.model_request import ModelRequest
from tollhouse.formats.openai.words.members import asks, decode, integer, number, object_of
from tollhouse.formats.openai.words.settings import SETTINGS, read_settings

_KNOWN: Final = SETTINGS | {"prompt", "suffix", "echo", "best_of", "logprobs", "logit_bias"}


def read_request(request: ModelRequest) -> Conversation:
    """Raises BadRequest; `param` names the member."""
    conversation = Conversation(messages=[])
    _read_prompt(conversation, decode(request, "prompt"))
    read_settings(conversation, request)
    for name in ("suffix", "echo"):
        if asks(decode(request, name)):
            note(conversation, name, name)
    best_of = integer(decode(request, "best_of"), "best_of") or 1
    if best_of > conversation.n:
        note(conversation, "best_of", "best_of")
    logprobs = integer(decode(request, "logprobs"), "logprobs")
    if logprobs is not None:
        conversation.logprobs, conversation.top_logprobs = True, logprobs
        note(conversation, "logprobs", "logprobs")
    biases = decode(request, "logit_bias")
    if biases:
        found = object_of(biases, "logit_bias")
        conversation.logit_bias = {token: number(bias, "logit_bias") or 0.0 for token, bias in found.items()}
        note(conversation, "logit_bias", "logit_bias")
    for name in request.members:
        if name not in _KNOWN and asks(decode(request, name)):
            note(conversation, "other", name)
    return conversation


def _read_prompt(conversation: Conversation, prompt: object) -> None:
    if isinstance(prompt, str):
        prompts: list[object] = [prompt]
    elif isinstance(prompt, list) and prompt:
        prompts = prompt
    else:
        raise BadRequest("'prompt' must be a string or an array of strings.", param="prompt")
    if not isinstance(prompts[0], str):
        note(conversation, "token_prompts", "prompt")
    elif len(prompts) > 1:
        note(conversation, "prompts", "prompt")
    first = prompts[0] if isinstance(prompts[0], str) else ""
    conversation.messages.append(Message(role="user", parts=[TextPart(text=first)]))


def write_request(
    conversation: Conversation,
    /,
    *,
    model: str,
    stream: bool,
    include_usage: bool,
    caps: tuple[str, ...] = (),
    others: bool = True,
) -> Never:
    """A conversation is no prompt. Raises UnsupportedParameter."""
    raise UnsupportedParameter("The provider of this model only goes on with a text.", param="model")
