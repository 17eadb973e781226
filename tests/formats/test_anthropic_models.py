"""What is known of models by their names."""

import pytest

from tollhouse.formats.anthropic.models_known import (
    adapts,
    always_thinks,
    is_prefilled,
    is_sampled,
    longest_answer,
    structures,
    takes_extra_high,
)


@pytest.mark.parametrize(
    ("model", "effort", "sampled", "longest"),
    [
        ("claude-3-opus-20240229", False, True, 4_096),
        ("claude-3-5-sonnet-20241022", False, True, 8_192),
        ("claude-3-7-sonnet-latest", False, True, 8_192),
        ("claude-sonnet-4-20250514", False, True, 32_000),
        ("claude-opus-4-1", False, True, 32_000),
        ("claude-opus-4-1-20250805", False, True, 32_000),
        ("claude-haiku-4-5-20251001", False, True, 32_000),
        ("anthropic.claude-sonnet-4-5-20250929-v1:0", False, True, 32_000),
        ("claude-opus-4@20250514", False, True, 32_000),
        ("claude-opus-4-6", True, True, 32_000),
        ("claude-sonnet-4-6", True, True, 32_000),
        ("claude-opus-4-7", True, False, 32_000),
        ("anthropic/claude-opus-5-5", True, False, 32_000),
        ("claude-fable-1", True, False, 32_000),
        ("deepseek-chat", False, True, 8_192),
        ("MiniMax-M3", False, True, 8_192),
    ],
)
def test_models_are_known_by_their_names(model: str, effort: bool, sampled: bool, longest: int) -> None:
    assert (adapts(model), is_sampled(model), longest_answer(model)) == (effort, sampled, longest)


@pytest.mark.parametrize(
    ("model", "structured", "extra_high", "prefilled", "always"),
    [
        ("claude-3-5-sonnet-20241022", False, True, True, False),
        ("claude-3-7-sonnet-latest", False, True, True, False),
        ("claude-sonnet-4-20250514", False, True, True, False),
        ("claude-opus-4-1-20250805", True, True, True, False),
        ("claude-haiku-4-5-20251001", True, True, True, False),
        ("anthropic.claude-sonnet-4-5-20250929-v1:0", True, True, True, False),
        ("claude-opus-4-6", True, False, False, False),
        ("claude-sonnet-4-6", True, False, False, False),
        ("claude-opus-4-8", True, True, False, False),
        ("claude-opus-5-20260724", True, True, False, False),
        ("claude-sonnet-5", True, True, False, False),
        ("anthropic/claude-opus-5.5", True, True, False, True),
        ("claude-fable-5", True, True, False, True),
        ("claude-mythos-preview", True, True, False, True),
        ("kimi-k3", True, True, True, False),
    ],
)
def test_what_newer_models_take_and_refuse(
    model: str, structured: bool, extra_high: bool, prefilled: bool, always: bool
) -> None:
    found = (structures(model), takes_extra_high(model), is_prefilled(model), always_thinks(model))
    assert found == (structured, extra_high, prefilled, always)
