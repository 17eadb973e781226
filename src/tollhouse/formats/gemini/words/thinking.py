"""How long a model is to think: `thinkingConfig`, which takes a budget (Gemini 2.5) or a level (Gemini 3 and later)."""

import re
from typing import Final

from tollhouse.core.conversation import Conversation, ReasoningAsked
from tollhouse.core.failure import BadRequest
from tollhouse.core.features import note
from tollhouse.core.provider_json import Object
from tollhouse.formats.gemini.words.values import Place

_BY_BUDGET: Final = re.compile(r"gemini-2[.-]|robotics-er-1", re.IGNORECASE)
_THINKS_NOT: Final = re.compile(
    r"gemini-(?:1|2[.-]0)|gemini-2[.-]5[a-z0-9.-]*-(?:image|tts)|gemma-[123]|learnlm", re.IGNORECASE
)
"""Models that refuse to be asked."""
_PRO: Final = re.compile(r"\bpro\b", re.IGNORECASE)
_BUDGETS: Final = {"minimal": 1_024, "low": 1_024, "medium": 8_192, "high": 24_576, "xhigh": 24_576, "max": 24_576}
"""What Google's own layer for OpenAI's words makes of an effort."""
_PRO_MIN: Final = 128
"""The least that Gemini 2.5 Pro thinks: it cannot be told not to."""
_RANGES: Final = ((_PRO, _PRO_MIN, 32_768), (re.compile("flash-lite", re.IGNORECASE), 512, 24_576))
_USUAL_RANGE: Final = (1, 24_576)
"""Budgets that models take: a call with another one is refused (earendil-works/pi#2838, su-kaka/gcli2api#108)."""
_LEVELS: Final = ("minimal", "low", "medium", "high")
_TAKEN: Final = (
    (re.compile(r"gemma|flash-lite-image", re.IGNORECASE), ("minimal", "high")),
    (re.compile(r"flash-lite|gemini-3-flash", re.IGNORECASE), _LEVELS),
    (re.compile(r"gemini-3-pro", re.IGNORECASE), ("low", "high")),
)
_USUALLY_TAKEN: Final = ("low", "medium", "high")
"""Levels that models take: any other one is refused, so the nearest is sent."""
_LOW_MAX: Final = 4_096
_MEDIUM_MAX: Final = 16_384


def read_thinking(conversation: Conversation, config: Place) -> None:
    thinking = config.object("thinkingConfig")
    if thinking is None:
        return
    path = config.path("thinkingConfig")
    budget, level = thinking.integer("thinkingBudget"), thinking.text("thinkingLevel").lower()
    visible = thinking.flag("includeThoughts") if thinking.get("includeThoughts") is not None else None
    if budget == 0:
        note(conversation, "reasoning_off", path)
        conversation.reasoning = ReasoningAsked(enabled=False)
        return
    if level == "thinking_level_unspecified":
        level = ""
    if level and level not in _BUDGETS:
        where = thinking.path("thinkingLevel")
        raise BadRequest(f"'{where}' must be {', '.join(_LEVELS[:-1])} or {_LEVELS[-1]}.", param=where)
    note(conversation, "reasoning", path)
    conversation.reasoning = ReasoningAsked(
        effort=level,
        budget=budget if budget is not None and budget > 0 and not level else None,
        summary="auto" if visible else "",
        visible=visible,
        encrypted=True,  # a thought that is told is signed: what is wanted back in the next turn
    )


def write_thinking(asked: ReasoningAsked, model: str) -> Object:
    if _THINKS_NOT.search(model):
        return {}
    by_budget = _BY_BUDGET.search(model) is not None
    if not asked.enabled:
        if by_budget:
            return {"thinkingBudget": _PRO_MIN if _PRO.search(model) else 0}
        return {"thinkingLevel": _taken("minimal", model)}
    written: Object = {}
    effort = asked.effort.lower()
    if by_budget:
        budget = asked.budget if asked.budget is not None else _BUDGETS.get(effort)
        if budget is not None:
            least, most = next(((one[1], one[2]) for one in _RANGES if one[0].search(model)), _USUAL_RANGE)
            written["thinkingBudget"] = min(max(budget, least), most)
    elif effort or asked.budget is not None:
        level = (effort if effort in _LEVELS else "high") if effort else _level(asked.budget or 0)
        written["thinkingLevel"] = _taken(level, model)
    if asked.visible or (asked.visible is None and (asked.summary or asked.budget is not None)):
        written["includeThoughts"] = True
    return written


def _level(budget: int) -> str:
    if budget < 0:
        return "high"
    return "low" if budget <= _LOW_MAX else "medium" if budget <= _MEDIUM_MAX else "high"


def _taken(level: str, model: str) -> str:
    """The nearest level that a model takes; of two, the one that thinks longer."""
    taken = next((levels for name, levels in _TAKEN if name.search(model)), _USUALLY_TAKEN)
    wanted = _LEVELS.index(level)
    return min(reversed(taken), key=lambda one: abs(_LEVELS.index(one) - wanted)).upper()
