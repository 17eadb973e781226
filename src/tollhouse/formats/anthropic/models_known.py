"""What is known of Anthropic's models by their names, where a request has to be written otherwise for some.

Names of other makers, whose servers speak this format, are taken for models that know all but the newest.
"""

import re
from typing import Final

_CLAUDE: Final = re.compile(r"claude-(?:instant|[0-9]|opus|sonnet|haiku|fable|mythos)")
_OLD: Final = re.compile(r"claude-(?:instant|2|3)")
_FOUR: Final = re.compile(r"(?:opus|sonnet|haiku)-4(?:-(?P<minor>[0-9])(?![0-9])|-20|[@:.]|$)")
"""Of the fourth generation; 4.0 has no second figure, or a date."""
_ADAPTIVE_SINCE: Final = 6
_UNSAMPLED_SINCE: Final = 7
_STRUCTURED_SINCE: Final = 5
_THINKS_ALWAYS: Final = re.compile(r"claude-(?:fable|mythos|opus-(?:5[.-][5-9]|[6-9]))(?![0-9])")
"""Models that refuse to be told not to think: https://docs.aws.amazon.com/bedrock/latest/userguide/claude-messages-adaptive-thinking.html"""
_LONG: Final = 32_000
_SHORT: Final = 8_192
_SHORTEST: Final = 4_096


def adapts(model: str) -> bool:
    """Whether a model decides itself how long it thinks, by an effort; others take a budget."""
    return _since(model, _ADAPTIVE_SINCE)


def thinks(model: str) -> bool:
    """Whether a model can think at all, so that it may be told whether it is to."""
    return not _OLD.search(model) or "claude-3-7" in model


def always_thinks(model: str) -> bool:
    """Whether a model refuses to be told that it is not to think, and so that it must call a tool."""
    return _THINKS_ALWAYS.search(model) is not None


def thinks_unasked(model: str) -> bool:
    """Whether a model thinks where nobody says whether it is to, and can be told not to: those after the fourth
    generation (https://platform.claude.com/docs/en/about-claude/models/whats-new-sonnet-5)."""
    return adapts(model) and not _FOUR.search(model) and not always_thinks(model)


def takes_extra_high(model: str) -> bool:
    """Whether a model knows the effort between `high` and `max`."""
    return not adapts(model) or _since(model, _UNSAMPLED_SINCE)


def is_prefilled(model: str) -> bool:
    """Whether a model goes on with words that stand at the end as its own; others want a user to speak last."""
    return not adapts(model)


def structures(model: str) -> bool:
    """Whether a model takes a JSON Schema as the form of its answer."""
    if not _CLAUDE.search(model):
        return True
    return _since(model, _STRUCTURED_SINCE) or "opus-4-1" in model


def is_sampled(model: str) -> bool:
    """Whether a model takes `temperature`, `top_p` and `top_k`."""
    return not _since(model, _UNSAMPLED_SINCE)


def longest_answer(model: str) -> int:
    """Tokens that a model can answer with at least, where nobody has configured them."""
    if _OLD.search(model):
        return _SHORT if re.search(r"claude-3-[57]", model) else _SHORTEST
    return _LONG if _CLAUDE.search(model) else _SHORT


def _since(model: str, minor: int) -> bool:
    if not _CLAUDE.search(model) or _OLD.search(model):
        return False
    four = _FOUR.search(model)
    return four is None or int(four["minor"] or 0) >= minor
