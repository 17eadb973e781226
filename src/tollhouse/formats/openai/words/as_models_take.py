"""How long to think, and how to sample, as one of OpenAI's models takes it. What it refuses is left out, and named."""

from typing import Final

from tollhouse.core.conversation import Conversation
from tollhouse.core.features import leave_out
from tollhouse.formats.openai.words.models_known import always_thinks, cannot_think, effort_taken, is_sampled
from tollhouse.formats.openai.words.settings import effort_of

_USUAL: Final = {"temperature": 1, "top_p": 1, "presence_penalty": 0, "frequency_penalty": 0}


def effort_for(conversation: Conversation, model: str) -> str:
    """Empty: none is named. `none`: the model is not to think."""
    asked = conversation.reasoning
    if asked is None:
        return ""
    if cannot_think(model):
        if asked.enabled:
            leave_out(conversation, "reasoning")
        return ""
    if not asked.enabled:
        if always_thinks(model):
            leave_out(conversation, "reasoning_off")
        return effort_taken(model, "none")
    return effort_taken(model, effort_of(asked))


def sampling_for(conversation: Conversation, model: str, names: tuple[str, ...]) -> dict[str, object]:
    rests = conversation.reasoning is not None and not conversation.reasoning.enabled
    figures = {name: value for name in names if (value := getattr(conversation, name)) is not None}
    if is_sampled(model, rests=rests):
        return figures
    for name in [name for name in figures if name in _USUAL]:
        if figures.pop(name) != _USUAL[name]:
            leave_out(conversation, "penalties" if "penalty" in name else name)
    return figures
