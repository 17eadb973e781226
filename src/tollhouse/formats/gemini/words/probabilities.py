"""Probabilities of tokens: `logprobsResult`, with the tokens that were chosen, and those that might have been."""

from collections.abc import Sequence
from typing import Final

from tollhouse.core.provider_json import Object
from tollhouse.core.reply import TokenProbability
from tollhouse.core.sound_text import sound_text
from tollhouse.formats.gemini.contents import object_under, objects, text_under
from tollhouse.formats.gemini.spelling import under

_TOP_MAX: Final = 100
"""Tokens beside one that are read."""
_LOWEST: Final = -9999.0


def read_probabilities(candidate: Object) -> list[TokenProbability] | None:
    result = object_under(candidate, "logprobsResult")
    if not result:
        return None
    beside = [objects(one.get("candidates")) for one in objects(under(result, "topCandidates"))]
    found = [_read(one) for one in objects(under(result, "chosenCandidates"))]
    for token, others in zip(found, beside, strict=False):
        token.top = [_read(one) for one in others[:_TOP_MAX]]
    return found


def write_probabilities(tokens: Sequence[TokenProbability]) -> Object:
    written: Object = {"chosenCandidates": [_written(one) for one in tokens]}
    if any(one.top for one in tokens):
        written["topCandidates"] = [{"candidates": [_written(other) for other in one.top]} for one in tokens]
    return written


def _read(one: Object) -> TokenProbability:
    probability = under(one, "logProbability")
    known = isinstance(probability, int | float) and not isinstance(probability, bool)
    token = sound_text(text_under(one, "token"))
    return TokenProbability(token=token, logprob=float(probability) if known else _LOWEST)  # type: ignore[arg-type]


def _written(one: TokenProbability) -> Object:
    return {"token": one.token, "logProbability": one.logprob}
