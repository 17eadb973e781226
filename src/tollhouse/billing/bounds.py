"""What a call can use at most: the bounds its hold is made from, before anybody has counted a token.

Input: a token is at least one byte of text, so the bytes of the body bound the tokens of its text; media that lies in
the body as base64 is taken out and counted by a figure for each part. Input that lies elsewhere (an earlier response,
a file id, a hosted tool) can only be bounded by the model's context.
Output: the cap the caller named, for each answer asked for; else the cap the gateway adds.
"""

from typing import Final

from msgspec import Struct

from tollhouse.billing.charges import worst
from tollhouse.billing.prices import MILLION, Price
from tollhouse.core.usage import Usage

CAP_FLOOR: Final = 1024  # tokens; a call without a cap is given at least so many
CAP_SHARE: Final = 10  # and otherwise a tenth of what the tightest remainder affords
LARGEST_CONTEXT: Final = 2_097_152  # tokens; stands in where a model's context is not configured
LARGEST_OUTPUT: Final = 131_072  # likewise for its longest answer


class InputSize(Struct, frozen=True):
    """What is known of an input. `bytes` of text (media in it left out), `media` tokens by the figures of its parts,
    `elsewhere`: part of it is not in the body. `counted`: the exact tokens of the text, where somebody counted them.
    `texts`: how many there are, each read for itself, so that each may fill the context."""

    bytes: int
    media: int = 0
    has_remote_input: bool = False
    counted: int | None = None
    texts: int = 1


class OutputSize(Struct, frozen=True):
    """What is asked for. `cap`: tokens an answer, as the caller named it. `answers`: 0 where the operation generates
    none. `thinking`: tokens of a thinking budget, which lies below a cap that is added. `uncapped`: tokens of an answer
    that no cap bounds, such as a prediction that is not followed. `thinks_beside`: so do thoughts, which only the
    longest answer bounds. `other_cap`: a cap by a name that nobody may read; somebody may, so an answer can be as long,
    but no longer than the longest. `takes_cap`: False where no cap can be sent, so that only the longest bounds it."""

    cap: int | None = None
    answers: int = 1
    thinking: int = 0
    uncapped: int = 0
    thinks_beside: bool = False
    other_cap: int = 0
    takes_cap: bool = True


class Bounds(Struct, frozen=True):
    """Tokens in and out at most, and what they cost at most in nano-USD. `added_cap`: the output cap that the provider
    has to be told, where the caller named none."""

    tokens_in: int
    tokens_out: int
    amount: int
    added_cap: int | None = None


def bound(
    price: Price,
    asked: InputSize,
    output: OutputSize,
    units: Usage,
    *,
    context_tokens: int | None,
    max_output_tokens: int | None,
    left: int | None,
) -> Bounds:
    """Bound a call. `left`: nano-USD in the tightest counter that has to pay; None where none binds.

    units: requests, images, seconds, characters at most.
    """
    tokens_in = input_bound(asked, context_tokens)
    added = None
    longest = longest_answer(max_output_tokens, context_tokens)
    beside = output.uncapped + (longest if output.thinks_beside else 0)
    if output.answers == 0:
        tokens_out = 0
    else:
        cap = output.cap if output.takes_cap else longest
        if cap is None:
            affordable = None if left is None else affords(price, tokens_in, units, left)
            cap = longest if affordable is None else cap_for(output, longest, affordable)
            added = cap if cap < longest else None
        tokens_out = (max(cap, min(output.other_cap, longest)) + beside) * output.answers
    return Bounds(tokens_in, tokens_out, worst(price, tokens_in, tokens_out, units), added)


def input_bound(asked: InputSize, context_tokens: int | None) -> int:
    """At most so many input tokens: never more than a context for each text, which a provider would refuse."""
    here = (asked.bytes if asked.counted is None else asked.counted) + asked.media
    if context_tokens is not None:
        most = context_tokens * asked.texts
        return most if asked.has_remote_input else min(here, most)
    return max(here, LARGEST_CONTEXT) if asked.has_remote_input else here


def longest_answer(max_output_tokens: int | None, context_tokens: int | None) -> int:
    """Tokens the model can answer with. What is not configured cannot be sent as a cap either: some providers refuse
    one that is above their own."""
    if max_output_tokens is not None:
        return max_output_tokens
    return LARGEST_OUTPUT if context_tokens is None else min(context_tokens, LARGEST_OUTPUT)


def cap_for(output: OutputSize, ceiling: int, affordable: int) -> int:
    """The cap of each answer where the caller named none; `affordable` is for all answers together."""
    share = affordable // (CAP_SHARE * output.answers)
    return min(ceiling, output.thinking + max(CAP_FLOOR, share))


def affords(price: Price, tokens_in: int, units: Usage, left: int) -> int | None:
    """Output tokens that `left` nano-USD pay for after the input; None where output costs nothing."""
    rate = max([rates.dearest_out.rate for rates in price.reachable(tokens_in)])
    if rate == 0:
        return None
    return max(0, left - worst(price, tokens_in, 0, units)) * MILLION // rate
