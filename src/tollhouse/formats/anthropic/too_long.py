"""What is too long for a model, in the words of the original: clients act by them and by the figures in them.

By `prompt is too long` Claude Code sums its conversation up; by the words about `max_tokens` it asks again for a
shorter answer. Other servers have one error for both.
"""

import re
from typing import Final

_PROMPT: Final = "prompt is too long"
_LIMITS: Final = (
    r"maximum context length (?:is|of) ([0-9]{1,9})",
    r"available context size \(([0-9]{1,9}) tokens",
    r"maximum number of tokens allowed \(([0-9]{1,9})\)",
    r"model token limit: ([0-9]{1,9})",
)
_INPUTS: Final = (
    r"request has ([0-9]{1,9}) (?:input )?tokens",
    r"messages resulted in ([0-9]{1,9}) tokens",
    r"input token count \(([0-9]{1,9})\)",
    r"request \(([0-9]{1,9}) tokens\) exceeds",
    r"requested: ([0-9]{1,9})",
)
_ALL: Final = r"requested (?:about )?([0-9]{1,9}) tokens"
_CAPS: Final = (r"\b([0-9]{1,9}) in the (?:completion|output)", r"too large: ([0-9]{1,9})")


def in_original_words(message: str) -> str:
    if _PROMPT in message.lower():
        return message
    limit, cap, read = _figure(message, *_LIMITS), _figure(message, *_CAPS), _figure(message, *_INPUTS)
    if read is None and cap is not None and (both := _figure(message, _ALL)) is not None:
        read = both - cap
    if limit is None or read is None:
        return f"{_PROMPT}: {message}"
    if cap is not None and read < limit < read + cap:
        advice = "decrease input length or `max_tokens` and try again"
        return f"input length and `max_tokens` exceed context limit: {read} + {cap} > {limit}, {advice}: {message}"
    return f"{_PROMPT}: {read} tokens > {limit} maximum: {message}" if read > limit else f"{_PROMPT}: {message}"


def _figure(message: str, *patterns: str) -> int | None:
    found = next((match for one in patterns if (match := re.search(one, message, re.IGNORECASE))), None)
    return None if found is None else int(found[1])
