"""Usage as OpenAI and its many imitators report it, read into disjoint buckets and written back.

OpenAI counts cached, written, heard and seen tokens inside the prompt, reasoned, spoken and drawn ones inside the
completion; the buckets of `core.usage` do not overlap. docs/usage.md has the conventions vendor by vendor, and
`tests/formats/golden/usage/` a report of each.

Vendors that put a part beside its whole (xAI its reasoning, others what the cache holds) give that away by
`total_tokens`, or by a part that its whole cannot hold. `total_tokens` else only tells a side that is not named at all:
what no figure names is not charged.
"""

import math
from typing import Final, Literal

from tollhouse.core.figures import Report, Unbelievable, figure, first, rest, within
from tollhouse.core.usage import TOKENS_MAX, Usage
from tollhouse.formats.openai.searches import in_report
from tollhouse.formats.openai.usage_spelling import in_own_words

_Object = dict[str, object]

Writes = Literal["text", "image", "audio", "nothing"]
"""What an endpoint's output tokens are where the report does not say: pictures for images, sound for speech. One that
writes nothing (vectors, verdicts) may report the total alone."""


CACHE_READ_IN_DETAILS: Final = (
    *("cached_tokens", "cache_read_tokens", "cached_read_tokens", "cache_read_input_tokens", "cached_input_tokens"),
    "cache_hit_tokens",
)
CACHE_READ: Final = (
    *("prompt_cache_hit_tokens", "cached_tokens", "cache_read_input_tokens", "cache_read_tokens"),
    *("cached_read_tokens", "cached_input_tokens", "cached_prompt_tokens", "prompt_cached_tokens"),
    *("input_cached_tokens", "num_cached_tokens", "prompt_cache_tokens", "cache_hit_tokens"),
)
CACHE_WRITTEN_IN_DETAILS: Final = (
    *("cache_write_tokens", "cache_creation_tokens", "cached_write_tokens", "cache_creation_input_tokens"),
    "cache_write_input_tokens",
)
CACHE_WRITTEN: Final = (
    *("cache_creation_input_tokens", "cache_write_tokens", "cached_write_tokens", "cache_write_input_tokens"),
    "cache_creation_tokens",
)
"""Names of what a cache held and was given, in the details of the input and beside it."""
_OF_THE_INPUT: Final = (
    *("prompt_tokens_details", "input_tokens_details", "input_token_details", "cache_creation"),
    *CACHE_READ,
    *CACHE_WRITTEN,
)
_OTHER_WORD: Final = {"prompt": "input", "input": "prompt", "completion": "output", "output": "completion"}


def read(reported: object, writes: Writes = "text") -> Usage | None:
    """Normalise one decoded `usage` object. None: there is none, or it is not to be believed, so the caller counts.

    Not believed is a figure that is negative, no integer, beyond `TOKENS_MAX`, or a part that fits neither in its whole
    nor beside it.
    """
    if not isinstance(reported, dict) or not reported:
        return None
    try:
        if reported.get("type") == "duration":
            return _duration(reported)
        return _read(in_own_words(reported), writes)
    except Unbelievable:
        return None


def in_chat_words(reported: Report) -> bool:
    """Whether a chat's caller finds both sides where OpenAI has them."""
    return "prompt_tokens" in reported and "completion_tokens" in reported


def told(reported: Report) -> Report:
    """A report as a chat's caller is told it: as it came where it is in their words, else in those."""
    if in_chat_words(reported):
        return reported
    usage = read(reported)
    return reported if usage is None else write_chat(usage)


def completed(report: Report, before: Report | None) -> Report:
    """A stream's report with what an earlier one told of the same input, where this one leaves that out: some servers
    tell once what lay in the cache, and only totals at the end."""
    if before is None or any(report.get(name) is not None for name in _OF_THE_INPUT):
        return report
    if any(report.get(name) != before.get(name) for name in ("prompt_tokens", "input_tokens")):
        return report
    told = {name: before[name] for name in _OF_THE_INPUT if before.get(name) is not None}
    return {**report, **told} if told else report


def write_chat(usage: Usage) -> _Object:
    """As chat and completions report it."""
    prompt, completion = usage.tokens_in(), usage.tokens_out()
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {
            "cached_tokens": usage.cache_read,
            "cache_write_tokens": usage.cache_write_5m + usage.cache_write_1h,
            "audio_tokens": usage.audio_in,
        },
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning, "audio_tokens": usage.audio_out},
    }


def write_response(usage: Usage) -> _Object:
    """As `/v1/responses` reports it."""
    tokens_in, tokens_out = usage.tokens_in(), usage.tokens_out()
    return {
        "input_tokens": tokens_in,
        "input_tokens_details": {
            "cached_tokens": usage.cache_read,
            "cache_write_tokens": usage.cache_write_5m + usage.cache_write_1h,
        },
        "output_tokens": tokens_out,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning},
        "total_tokens": tokens_in + tokens_out,
    }


def _read(reported: Report, writes: Writes) -> Usage | None:
    into, out = _spelling(reported)
    prompt, completion = figure(reported, f"{into}_tokens"), figure(reported, f"{out}_tokens")
    if prompt is None and completion is None and writes == "nothing":
        prompt = figure(reported, "total_tokens")
    if prompt is None and completion is None:
        return None
    total = _total(reported)
    prompt, completion = _sides(prompt, completion, None if writes == "nothing" else total)
    details_in, details_out = _details(reported, into), _details(reported, out)
    cached, written, for_long = _cache(reported, details_in)
    reasoning = first(((details_out, "reasoning_tokens"), (reported, "reasoning_tokens")))

    beside = 0 if total is None else total - prompt - completion
    if _stands_beside(reported, into, details_in) and cached + written > 0:
        prompt += cached + written
        beside = max(0, beside - cached - written)
    if 0 < completion < reasoning and beside not in (reasoning, reasoning + cached + written):
        completion += reasoning  # a research model thinks more than it answers, beside the completion and the total
        beside = 0
    elif beside > 0 and beside in (reasoning, reasoning + cached + written):
        completion += reasoning
        beside -= reasoning
    if beside > 0 and beside == cached + written:
        prompt += beside

    text, heard, seen = _not_cached(prompt, cached, written, details_in)
    spoken, drawn = figure(details_out, "audio_tokens") or 0, figure(details_out, "image_tokens") or 0
    said = rest(completion, reasoning, spoken, drawn)
    if writes != "text" and not (spoken or drawn):
        told = min(said, figure(details_out, "text_tokens") or 0)
        spoken, drawn = (0, said - told) if writes == "image" else (said - told, 0)
        said = told
    seconds = reported.get("prompt_audio_seconds")
    return Usage(
        input=text,
        cache_read=cached,
        cache_write_5m=rest(written, for_long),
        cache_write_1h=for_long,
        output=said,
        reasoning=reasoning,
        audio_in=heard,
        audio_out=spoken,
        image_in=seen,
        image_out=drawn,
        seconds=seconds if type(seconds) is int and 0 <= seconds <= TOKENS_MAX else 0,
        searches=in_report(reported),
    )


def write_vectors(usage: Usage) -> _Object:
    """As embeddings report it."""
    return {"prompt_tokens": usage.tokens_in(), "total_tokens": usage.tokens_in()}


def _total(reported: Report) -> int | None:
    """None where it is no figure: then it says nothing."""
    try:
        return figure(reported, "total_tokens")
    except Unbelievable:
        return None


def _sides(prompt: int | None, completion: int | None, total: int | None) -> tuple[int, int]:
    """Where one side is not named at all, it is what the total has more than the other."""
    if completion is None and total is not None:
        completion = max(0, total - (prompt or 0))
    if prompt is None and total is not None:
        prompt = max(0, total - (completion or 0))
    return prompt or 0, completion or 0


def _stands_beside(reported: Report, into: str, details: Report) -> bool:
    """Whether the cache stands beside the input, as Anthropic has it, whose names relays pass on: there is neither a
    total nor a detail that says otherwise."""
    anthropic = "cache_read_input_tokens" in reported or "cache_creation_input_tokens" in reported
    return anthropic and into == "input" and not details and "total_tokens" not in reported


def _spelling(reported: Report) -> tuple[str, str]:
    """Some relays send both spellings, one of them filled with zeros."""
    if reported.get("prompt_tokens") or reported.get("completion_tokens"):
        return "prompt", "completion"
    both = "input_tokens" in reported or "output_tokens" in reported
    return ("input", "output") if both else ("prompt", "completion")


def _details(reported: Report, whole: str) -> Report:
    """Transcriptions spell it `input_token_details`; some relays name the whole by one word and its details by the
    other."""
    names = (f"{whole}_tokens_details", f"{whole}_token_details", f"{_OTHER_WORD[whole]}_tokens_details")
    return next((found for name in names if (found := within(reported, name))), {})


def _cache(reported: Report, details: Report) -> tuple[int, int, int]:
    """Tokens read from the cache, written to it, and how many of the written ones for long.

    There are two buckets for what is written: for minutes (Anthropic 5, OpenAI 30) and for hours (1, 12).
    """
    read = first(
        (
            *((details, name) for name in CACHE_READ_IN_DETAILS),
            *((reported, name) for name in CACHE_READ),
        )
    )
    written = first(
        (
            *((details, name) for name in CACHE_WRITTEN_IN_DETAILS),
            *((reported, name) for name in CACHE_WRITTEN),
        )
    )
    split = within(details, "cache_write_tokens_details")
    brief, long = figure(split, "ttl_30m_tokens") or 0, figure(split, "ttl_12h_tokens") or 0
    if not (brief or long):
        split = within(details, "cache_creation") or within(reported, "cache_creation")
        brief = figure(split, "ephemeral_5m_input_tokens") or 0
        long = figure(split, "ephemeral_1h_input_tokens") or 0
    return read, written or brief + long, long


def _not_cached(prompt: int, cached: int, written: int, details: Report) -> tuple[int, int, int]:
    """Tokens of text, sound and pictures that were neither read from the cache nor written to it.

    Modalities share out the prompt, and so does the cache. Where nobody says how the two overlap, text was cached
    first: it stands in front, and nothing else is as often the same.
    """
    heard, seen = figure(details, "audio_tokens") or 0, figure(details, "image_tokens") or 0
    text = rest(prompt, heard, seen)
    rest(prompt, cached, written)
    split = within(details, "cached_tokens_details")
    cached_heard, cached_seen = figure(split, "audio_tokens") or 0, figure(split, "image_tokens") or 0
    heard, seen = rest(heard, cached_heard), rest(seen, cached_seen)
    stored = rest(cached + written, cached_heard, cached_seen)
    from_text = min(text, stored)
    from_heard = min(heard, stored - from_text)
    return text - from_text, heard - from_heard, rest(seen, stored - from_text - from_heard)


def _duration(reported: Report) -> Usage:
    """A transcription that is billed by time. A second that has begun counts."""
    seconds = reported.get("seconds")
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds <= TOKENS_MAX:
        raise Unbelievable("seconds")
    return Usage(seconds=math.ceil(seconds))
