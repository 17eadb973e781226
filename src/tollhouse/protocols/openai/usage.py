"""Usage as OpenAI and its many imitators report it, read into disjoint buckets and written back.

OpenAI counts cached and audio tokens inside the prompt, reasoning and audio inside the completion; the buckets of
`core.usage` do not overlap. Spellings read here: `prompt_tokens` / `completion_tokens` (chat, completions, embeddings)
and `input_tokens` / `output_tokens` (responses, images), each with its `_details`; cached tokens also as
`prompt_cache_hit_tokens` (DeepSeek) or a bare `cached_tokens` (Moonshot, Qwen); reasoning beside the completion
instead of inside it (xAI), which `total_tokens` gives away.
"""

from tollhouse.core.usage import TOKENS_MAX, Usage

_Object = dict[str, object]


class _Unbelievable(Exception):
    """A figure that no honest report contains."""


def read(reported: object) -> Usage | None:
    """Normalise one decoded `usage` object. None: there is none, or it is not to be believed, so the caller counts.

    Not believed is a figure that is negative, no integer, beyond `TOKENS_MAX`, or a part larger than its whole.
    """
    if not isinstance(reported, dict) or not reported:
        return None
    try:
        return _read(reported)
    except _Unbelievable:
        return None


def write_chat(usage: Usage) -> _Object:
    """As chat and completions report it."""
    prompt, completion = usage.tokens_in(), usage.tokens_out()
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": usage.cache_read, "audio_tokens": usage.audio_in},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning, "audio_tokens": usage.audio_out},
    }


def write_response(usage: Usage) -> _Object:
    """As `/v1/responses` reports it."""
    tokens_in, tokens_out = usage.tokens_in(), usage.tokens_out()
    return {
        "input_tokens": tokens_in,
        "input_tokens_details": {"cached_tokens": usage.cache_read},
        "output_tokens": tokens_out,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning},
        "total_tokens": tokens_in + tokens_out,
    }


def _read(reported: _Object) -> Usage | None:
    responses = "input_tokens" in reported or "output_tokens" in reported
    into, out = ("input", "output") if responses else ("prompt", "completion")
    total_in, total_out = _figure(reported, f"{into}_tokens"), _figure(reported, f"{out}_tokens")
    if total_in is None and total_out is None:
        return None
    prompt, completion = total_in or 0, total_out or 0
    details_in = _details(reported, f"{into}_tokens_details")
    details_out = _details(reported, f"{out}_tokens_details")

    cached = _cached(reported, details_in)
    audio_in = _figure(details_in, "audio_tokens") or 0
    image_in = _figure(details_in, "image_tokens") or 0
    reasoning = _figure(details_out, "reasoning_tokens") or _figure(reported, "reasoning_tokens") or 0
    audio_out = _figure(details_out, "audio_tokens") or 0
    image_out = _figure(details_out, "image_tokens") or 0
    if reasoning and _figure(reported, "total_tokens") == prompt + completion + reasoning:
        completion += reasoning
    return Usage(
        input=_rest(prompt, cached, audio_in, image_in),
        cache_read=cached,
        output=_rest(completion, reasoning, audio_out, image_out),
        reasoning=reasoning,
        audio_in=audio_in,
        audio_out=audio_out,
        image_in=image_in,
        image_out=image_out,
    )


def _cached(reported: _Object, details: _Object) -> int:
    for place, name in (
        (details, "cached_tokens"),
        (reported, "prompt_cache_hit_tokens"),
        (reported, "cached_tokens"),
    ):
        figure = _figure(place, name)
        if figure:
            return figure
    return 0


def _figure(place: _Object, name: str) -> int | None:
    value = place.get(name)
    if value is None:
        return None
    if type(value) is not int or not 0 <= value <= TOKENS_MAX:
        raise _Unbelievable
    return value


def _details(reported: _Object, name: str) -> _Object:
    value = reported.get(name)
    return value if isinstance(value, dict) else {}


def _rest(whole: int, *parts: int) -> int:
    rest = whole - sum(parts)
    if rest < 0:
        raise _Unbelievable
    return rest
