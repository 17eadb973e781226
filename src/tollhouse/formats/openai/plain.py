"""The usual answer, decoded in one go: what nine of ten chat answers look like, at a fifth of the cost.

Whatever is not exactly of these shapes gives None and is read the careful way (`answer`, `usage`), with one result:
a test holds the two against each other.
"""

from msgspec import DecodeError, Raw, Struct, ValidationError, convert, json

from tollhouse.core.usage import TOKENS_MAX, Usage


class _PlainChoice(Struct):
    finish_reason: str | None = None
    native_finish_reason: None = None
    error: None = None


_ANY = Raw(b"null")


class PlainAnswer(Struct, forbid_unknown_fields=True):
    """An answer of chat or completions without an error in it, and without members that nobody has read."""

    object: str
    choices: list[_PlainChoice]
    usage: Raw
    id: Raw = _ANY
    created: Raw = _ANY
    model: Raw = _ANY
    service_tier: Raw = _ANY
    system_fingerprint: Raw = _ANY
    prompt_logprobs: None = None
    prompt_token_ids: None = None
    kv_transfer_params: None = None
    citations: Raw = _ANY
    timings: None = None
    error: None = None
    type: None = None


class _InDetails(Struct, forbid_unknown_fields=True):
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    audio_tokens: int = 0
    image_tokens: int = 0
    text_tokens: int = 0


class _OutDetails(Struct, forbid_unknown_fields=True):
    reasoning_tokens: int = 0
    audio_tokens: int = 0
    accepted_prediction_tokens: int = 0
    rejected_prediction_tokens: int = 0
    text_tokens: int = 0


_NONE_IN, _NONE_OUT = _InDetails(), _OutDetails()


class _Usage(Struct, forbid_unknown_fields=True):
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: _InDetails | None = None
    completion_tokens_details: _OutDetails | None = None


_answer = json.Decoder(PlainAnswer).decode
_usage = json.Decoder(_Usage).decode


def read_answer(body: bytes) -> PlainAnswer | None:
    """None: not of this shape."""
    try:
        if not body.isascii():
            body.decode()
        answer = _answer(body)
    except (UnicodeDecodeError, DecodeError, RecursionError):
        return None
    has_usage = bytes(memoryview(answer.usage)[:1]) == b"{"
    return answer if has_usage and answer.object in ("chat.completion", "text_completion") else None


def read_usage(raw: bytes | Raw) -> Usage | None:
    """None: not of this shape, or of figures that want a closer look."""
    try:
        return _normalised(_usage(raw))
    except (DecodeError, RecursionError):
        return None


def convert_usage(reported: object) -> Usage | None:
    """The same of a report that is decoded already, as a stream's is."""
    try:
        return _normalised(convert(reported, _Usage))
    except ValidationError:
        return None


def _normalised(usage: _Usage) -> Usage | None:
    into, out = usage.prompt_tokens_details or _NONE_IN, usage.completion_tokens_details or _NONE_OUT
    prompt, completion = usage.prompt_tokens, usage.completion_tokens
    cached, written, heard, seen = into.cached_tokens, into.cache_write_tokens, into.audio_tokens, into.image_tokens
    thought, spoken = out.reasoning_tokens, out.audio_tokens
    rest_in, rest_out = prompt - cached - written - heard - seen, completion - thought - spoken
    if min(cached, written, heard, seen, thought, spoken, rest_in, rest_out) < 0:
        return None  # or the cache holds sound and pictures too
    if usage.total_tokens != prompt + completion or max(prompt, completion) > TOKENS_MAX:
        return None  # perhaps reasoning stands beside the completion
    return Usage(
        input=rest_in,
        cache_read=cached,
        cache_write_5m=written,
        output=rest_out,
        reasoning=thought,
        audio_in=heard,
        audio_out=spoken,
        image_in=seen,
    )
