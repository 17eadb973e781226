"""What a call used: disjoint, non-negative buckets, and where the figures come from.

Providers report usage each in their own convention (OpenAI counts cached tokens inside the prompt, Anthropic beside
it); each format turns its own into this one. Tokens unless the name says otherwise.
"""

from typing import Literal

from msgspec import Struct, structs

UsageSource = Literal["upstream", "drained", "counted", "none"]
"""upstream: reported. drained: reported after the client had left. counted: by us. none: nothing is charged."""


class Usage(Struct, frozen=True, kw_only=True, omit_defaults=True):
    input: int = 0
    cache_read: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0
    output: int = 0
    reasoning: int = 0
    audio_in: int = 0
    audio_out: int = 0
    image_in: int = 0
    image_out: int = 0
    requests: int = 0
    images: int = 0
    seconds: int = 0
    characters: int = 0
    searches: int = 0  # that the provider ran for the call: of the web, of files, of maps

    def tokens_in(self) -> int:
        return self.input + self.cache_read + self.cache_write_5m + self.cache_write_1h + self.audio_in + self.image_in

    def tokens_out(self) -> int:
        return self.output + self.reasoning + self.audio_out + self.image_out


_IN = ("input", "cache_read", "cache_write_5m", "cache_write_1h", "audio_in", "image_in")
_OUT = ("output", "reasoning", "audio_out", "image_out")
_UNITS = ("requests", "images", "seconds", "characters", "searches")


def at_most(usage: Usage, tokens_in: int, tokens_out: int, units: Usage) -> Usage:
    """So much of a usage as lies within these bounds. Buckets are filled in their order, and the rest is left out."""
    kept = {name: min(getattr(usage, name), getattr(units, name)) for name in _UNITS}
    for names, most in ((_IN, tokens_in), (_OUT, tokens_out)):
        left = most
        for name in names:
            kept[name] = min(getattr(usage, name), left)
            left -= kept[name]
    return Usage(**kept)


BUCKETS: tuple[str, ...] = tuple(field.name for field in structs.fields(Usage))
SEARCHES_MAX = 1_000  # of one answer: research over an hour makes some hundred
TOKENS_MAX = 2**31  # no model has such a context: a larger figure is a defect of the one who reports it
