"""What is known of models by their names."""

import pytest

from tollhouse.formats.anthropic.models_known import adapts, is_sampled, longest_answer


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
