"""How much one simulated answer may be: nobody pays for it, so its whole size is bounded before it is made.

A bound is on the product of everything that multiplies: tokens by answers, inputs by dimensions, values by levels of a
schema. What would be larger is a 400 that names the bound.
"""

from typing import Final

from tollhouse.core.failure import BadRequest

TOKENS_MAX: Final = 100_000
"""Output tokens of a call, over all its answers."""
BYTES_MAX: Final = 1024 * 1024
"""Bytes of text of a call, over all its answers; what the format wraps around them comes on top."""
LOGPROBS_MAX: Final = 8_192
"""Tokens of a call that are told with their probabilities."""
ANSWERS_MAX: Final = 2_048
"""Answers of a call: inputs by `n`."""
FIGURES_MAX: Final = 524_288
"""Figures of the embeddings of a call: 341 inputs of 1536 dimensions."""
MODERATIONS_MAX: Final = 512
STOPS_MAX: Final = 4
"""Stop sequences, as the original has it."""
TEXT_MAX: Final = 4 * 1024 * 1024
"""Characters of a prompt: a million tokens, which is the longest context there is."""
SCRIPT_MAX: Final = 500
"""Characters of a script."""
DEPTH_MAX: Final = 16
"""Levels of lists and objects in which texts are looked for: a message has five."""
SCHEMA_VALUES_MAX: Final = 4_096
SCHEMA_CHARACTERS_MAX: Final = 65_536
"""Of the value that fits a schema, over all levels and repetitions."""

LIGHT_BODY: Final = 64 * 1024
LIGHT_TOKENS: Final = 2_048
LIGHT_FIGURES: Final = 16_384
"""Up to here an answer is made on the event loop (some milliseconds at most), beyond it in a thread."""
FIGURES_OF_INPUT: Final = 32
"""What an embedding costs beside its figures, in figures."""


def require(amount: int, maximum: int, what: str, param: str | None = None) -> None:
    """Raises BadRequest where a call asks for more of `what` than `most`."""
    if amount > maximum:
        raise BadRequest(
            f"The simulator gives at most {maximum} {what} a call; this one asks for {amount}.", param=param
        )
