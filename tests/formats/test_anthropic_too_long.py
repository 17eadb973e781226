"""What is too long is told in the words by which clients of Anthropic sum up, or ask for a shorter answer."""

import json
import re

import pytest

from tollhouse.core.failure import ContextTooLong
from tollhouse.formats.anthropic import failure

SHORTER = re.compile(r"input length and `max_tokens` exceed context limit: (\d+) \+ (\d+) > (\d+)")
LENGTH = "This model's maximum context length is 32768 tokens"


@pytest.mark.parametrize(
    ("said", "figures"),
    [
        (
            "'max_tokens' or 'max_completion_tokens' is too large: 32000. This model's maximum context length is 32768 "
            "tokens and your request has 11500 input tokens (32000 > 32768 - 11500).",
            ("11500", "32000", "32768"),
        ),
        (
            f"{LENGTH}. However, you requested 43500 tokens (11500 in the messages, 32000 in the completion).",
            ("11500", "32000", "32768"),
        ),
        (
            "This endpoint's maximum context length is 32768 tokens. However, you requested about 43500 tokens (11000 "
            "of text input, 500 of tool input, 32000 in the output).",
            ("11500", "32000", "32768"),
        ),
        (f"{LENGTH}. However, you requested 42500 tokens (42000 in the messages, 500 in the completion).", "42000"),
        (f"{LENGTH}. However, your messages resulted in 33000 tokens.", "33000"),
        ("request (33000 tokens) exceeds the available context size (32768 tokens), try increasing it", "33000"),
        ("The input token count (33000) exceeds the maximum number of tokens allowed (32768).", "33000"),
        ("Your request exceeded model token limit: 32768 (requested: 33000)", "33000"),
        ("Your input exceeds the context window of this model.", ""),
        (f"{LENGTH}.", ""),
        ("prompt is too long: 33000 tokens > 32768 maximum", None),
    ],
)
def test_figures_of_what_is_too_long_stand_where_clients_look_for_them(
    said: str, figures: tuple[str, ...] | str | None
) -> None:
    """figures: of the input, the cap and the context; of the input alone; None: it was said in these words."""
    message = json.loads(failure.body(ContextTooLong(said), "req_1"))["error"]["message"]
    shorter = SHORTER.match(message)
    if isinstance(figures, tuple):
        assert shorter is not None
        assert shorter.groups() == figures
        assert "prompt is too long" not in message
    else:
        assert shorter is None
        begin = f"prompt is too long: {figures} tokens > 32768 maximum: " if figures else "prompt is too long: "
        assert message.startswith(begin)
    assert message.endswith(said)
