"""What a call can use at most: the bounds its hold is made from, before anybody has counted a token.

Input: a token is at least one byte of text, so the bytes of the body bound the tokens of its text; media that lies in
the body as base64 is taken out and counted by a figure for each part. Input that lies elsewhere (an earlier response,
a file id, a hosted tool) can only be bounded by the model's context.
Output: the cap the caller named, for each answer asked for; else the cap the gateway adds.
"""

from typing import Final

from msgspec import Struct

CAP_FLOOR: Final = 1024  # tokens; a call without a cap is given at least so many
CAP_SHARE: Final = 10  # and otherwise a tenth of what the tightest remainder affords


class Input(Struct, frozen=True):
    """What is known of an input without counting: bytes of text, tokens of media by figure, and whether that is all."""

    bytes: int
    media: int = 0
    elsewhere: bool = False


class Bounds(Struct, frozen=True):
    """Tokens in and out at most. `added_cap`: the output cap to send to the provider, where the caller named none."""

    tokens_in: int
    tokens_out: int
    added_cap: int | None = None


def input_bound(asked: Input, context_tokens: int | None) -> int:
    """At most so many input tokens. Without a known context, input that lies elsewhere is bounded by nothing we know:
    the largest context there is stands in."""
    whole = context_tokens if context_tokens is not None else LARGEST_CONTEXT
    if asked.elsewhere:
        return whole
    return min(asked.bytes + asked.media, whole) if context_tokens is not None else asked.bytes + asked.media


def output_bound(named_cap: int | None, answers: int, max_output_tokens: int | None, affordable: int | None) -> Bounds:
    """Bound the output of `answers` answers. A cap the caller named is never lowered.

    affordable: tokens the tightest remainder can pay for after the input; None where no purse binds.
    """
    if named_cap is not None:
        return Bounds(0, named_cap * answers)
    ceiling = max_output_tokens if max_output_tokens is not None else LARGEST_OUTPUT
    if affordable is None:
        return Bounds(0, ceiling * answers)
    cap = min(ceiling, max(CAP_FLOOR, affordable // CAP_SHARE))
    return Bounds(0, cap * answers, cap if cap < ceiling or max_output_tokens is None else None)


LARGEST_CONTEXT: Final = 2_097_152  # tokens; the largest context a public model offers today is 2 Mi
LARGEST_OUTPUT: Final = 131_072
