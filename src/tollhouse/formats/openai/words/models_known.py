"""What is known of models by their names, where a request has to be written otherwise for some.

Most is known of OpenAI's own. Deployments of any name are taken for models that take all.
See https://platform.openai.com/docs/guides/reasoning
"""

import re
from typing import Final

_BEGIN: Final = r"(?:^|[/.:])"
_OWN: Final = re.compile(_BEGIN + r"(?:gpt-|chatgpt|codex|o[1-9](?:-|$))", re.IGNORECASE)
_THINKS_NOT: Final = re.compile(_BEGIN + r"(?:gpt-[34]|chatgpt-4|gpt-5(?:\.[0-9]+)?-chat)", re.IGNORECASE)
_THINKS: Final = re.compile(_BEGIN + r"(?:gpt-[5-9]|codex|o[1-9](?:-|$))", re.IGNORECASE)
_VERSION: Final = re.compile(r"gpt-([5-9])(?:\.([0-9]+))?", re.IGNORECASE)
_WANTS_THOUGHTS: Final = re.compile(
    r"kimi-(?:k2\.[5-9]|k[3-9]|k2-thinking)|deepseek-(?:v[4-9]|reasoner)|mimo-v", re.IGNORECASE
)
"""https://platform.moonshot.ai/docs/guide/use-kimi-k2-thinking-model, https://api-docs.deepseek.com/guides/thinking_mode"""
_TAKES_NO_SCHEMA: Final = re.compile(r"deepseek-(?:chat|reasoner|v4(?:\.[0-9]+)?(?:-[a-z]+)?)\Z", re.IGNORECASE)
"""As DeepSeek itself calls its models: other hosts of them take schemas. https://api-docs.deepseek.com/guides/json_mode"""
_RESTS_TO_CALL: Final = re.compile(
    r"(?:deepseek-v4(?:\.[0-9]+)?(?:-[a-z]+)?|kimi-k2\.[56](?:-preview)?)\Z", re.IGNORECASE
)
"""As their vendors call them: https://github.com/deepseek-ai/DeepSeek-V3/issues/1376, Moonshot's guide to thinking."""
_RESTS_SINCE: Final = (5, 1)
_EXTRA_HIGH_SINCE: Final = (5, 2)
_MINIMAL: Final = (5, 0)


def is_own(model: str) -> bool:
    return _OWN.search(model) is not None


def cannot_think(model: str) -> bool:
    """Whether a model refuses to be told how long it is to think."""
    return _THINKS_NOT.search(model) is not None


def always_thinks(model: str) -> bool:
    """Whether a model refuses to be told that it is not to think."""
    return reasons(model) and _version(model) < _RESTS_SINCE


def is_sampled(model: str, *, rests: bool) -> bool:
    """Whether a model takes figures of sampling. rests: it is told not to think."""
    return not reasons(model) or (rests and not always_thinks(model))


def effort_taken(model: str, effort: str) -> str:
    """The nearest effort that a model takes; `none` becomes the least."""
    if not reasons(model):
        return effort
    version, codex = _version(model), "codex" in model.lower()
    least = "minimal" if version == _MINIMAL and not codex else "low"
    if effort == "minimal" or (effort == "none" and always_thinks(model)):
        return least
    if effort == "xhigh" and version < _EXTRA_HIGH_SINCE and "codex-max" not in model.lower():
        return "high"
    return effort


def reasons(model: str) -> bool:
    """Whether it is one of OpenAI's that think before they answer."""
    return _THINKS.search(model) is not None and not cannot_think(model)


def _version(model: str) -> tuple[int, int]:
    """Of models before the fifth generation: none."""
    found = _VERSION.search(model)
    return (0, 0) if found is None else (int(found[1]), int(found[2] or 0))


def wants_thoughts(model: str) -> bool:
    """Whether a model refuses calls of earlier turns that stand there without thoughts."""
    return _WANTS_THOUGHTS.search(model) is not None


def takes_schema(model: str) -> bool:
    """Whether a JSON Schema can be the form of a chat's answer; else only that it is a JSON object."""
    return _TAKES_NO_SCHEMA.match(model) is None


def rests_to_call(model: str) -> bool:
    """Whether a model, which thinks unless it is told not to, must not think where it must call a tool."""
    return _RESTS_TO_CALL.match(model) is not None
