"""How long a model is to think, in the words that it understands: newer ones take an effort, older ones a budget."""

from typing import Final

from tollhouse.core.conversation import Conversation, ReasoningAsked
from tollhouse.core.features import leave_out
from tollhouse.core.provider_json import Object
from tollhouse.formats.anthropic.models_known import adapts, always_thinks, takes_extra_high, thinks, thinks_unasked

BUDGET_MIN: Final = 1_024
_BUDGETS: Final = {"minimal": 1_024, "low": 2_048, "medium": 8_192, "high": 16_384, "xhigh": 32_000, "max": 32_000}
_EFFORTS: Final = {"minimal": "low"}
_WITH_THOUGHTS: Final = ("xhigh", "max")
"""Efforts that models refuse where they are told not to think."""


def thinking_of(conversation: Conversation, model: str, cap: int, messages: list[Object]) -> Object:
    """The members that say it; none where nobody asked. cap: of the output, which holds the thoughts. messages: as they
    are written.

    No model thinks where it must call a tool, nor one that takes a budget in a turn whose thoughts are not here.
    """
    asked, choice = conversation.reasoning, conversation.tool_choice
    must_call = choice is not None and choice.choosing in ("required", "named")
    off: Object = {"thinking": {"type": "disabled"}}
    if asked is None:
        return off if must_call and thinks_unasked(model) else {}
    if not thinks(model):
        if asked.enabled:
            leave_out(conversation, "reasoning")
        return {}
    if not asked.enabled:
        if always_thinks(model):
            leave_out(conversation, "reasoning_off")
            return {"output_config": {"effort": "low"}}
        return off
    if adapts(model):
        made: Object = {"output_config": {"effort": effort}} if (effort := _effort_of(asked, model)) else {}
        if not must_call:
            return _adaptive(asked) | made
        leave_out(conversation, "reasoning")
        if not thinks_unasked(model):
            return made
        return off if effort in _WITH_THOUGHTS else off | made
    budget = min(asked.budget or _BUDGETS.get(asked.effort, _BUDGETS["medium"]), cap * 3 // 4)
    budget = max(budget, BUDGET_MIN)
    if must_call or budget >= cap or lacks_thoughts(messages):
        leave_out(conversation, "reasoning")
        return {}
    return {"thinking": {"type": "enabled", "budget_tokens": budget}}


def _effort_of(asked: ReasoningAsked, model: str) -> str:
    effort = _EFFORTS.get(asked.effort, asked.effort) or _effort(asked.budget)
    return "high" if effort == "xhigh" and not takes_extra_high(model) else effort


def _adaptive(asked: ReasoningAsked) -> Object:
    said: Object = {"type": "adaptive"}
    if asked.visible is not None or asked.summary:
        said["display"] = "summarized" if asked.visible is not False else "omitted"
    return {"thinking": said}


def _effort(budget: int | None) -> str:
    if budget is None:
        return ""
    return next((effort for effort in ("low", "medium", "high") if budget <= _BUDGETS[effort]), "xhigh")


def lacks_thoughts(messages: list[Object]) -> bool:
    """Whether the turn that is to go on called tools without thoughts before them."""
    for message in reversed(messages):
        content = message.get("content")
        blocks = content if isinstance(content, list) else []
        kinds = [block.get("type") for block in blocks if isinstance(block, dict)]
        if message.get("role") == "user":
            if "tool_result" not in kinds:
                return False
        elif "tool_use" in kinds:
            return kinds[0] not in ("thinking", "redacted_thinking")
        else:
            return False
    return False
