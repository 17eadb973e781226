"""A provider's words made fit for a caller: its reason stays, its keys and addresses go.

Rather too much is removed than too little: a lost word costs a caller a guess, a leaked host costs the operator more.
What remains of a dotted name is what cannot be a host: a version (`gpt-4.1-mini`) or the path of a request field.
"""

import re
from typing import Final

REMOVED: Final = "[removed]"
CHARACTERS_MAX: Final = 600
_READ_MAX: Final = 4_000

_MARKUP = re.compile(r"<\s*(?:!doctype|\?xml|/?(?:html|head|body|title|h1|center|pre|div|script)\b)", re.IGNORECASE)
_URL = re.compile(r"\b[A-Za-z][A-Za-z0-9+.-]{0,15}:/{1,2}[^\s\"'<>]+", re.ASCII)
_KEY = re.compile(
    r"\bBearer\s+\S+"
    r"|(?<![A-Za-z0-9])(?:(?:sk|pk|rk|gsk|xai|hf|r8|nvapi|pplx|fw|csk)[-_]|AIza|AKIA|eyJ)[A-Za-z0-9][A-Za-z0-9_*.-]{7,}"
    r"|(?<![A-Za-z0-9])(?=[A-Za-z]*[0-9])(?=[0-9]*[A-Za-z])[A-Za-z0-9]{20,}"
    r"|(?<![A-Za-z0-9_-])(?=[A-Za-z_-]*[0-9])(?=[0-9_-]*[A-Za-z])[A-Za-z0-9_-]{32,}",
    re.ASCII,
)
_IPV6 = re.compile(
    r"\[?(?<![\w:.])(?=[0-9A-Fa-f:.]*(?:::|(?::[0-9A-Fa-f]*){3}))[0-9A-Fa-f:.]{2,}(?:%\w+)?\]?", re.ASCII
)
_IPV4 = re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w])(?::\d+)?", re.ASCII)
_DOTTED = re.compile(r"(?<![A-Za-z0-9_-])[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)+\.?(?::\d+)?", re.ASCII)
_HOST_AND_PORT = re.compile(
    r"(?<![\w-])[A-Za-z][A-Za-z0-9-]*:\d{4,5}(?!\w)|\blocalhost\b(?::\d+)?", re.ASCII | re.IGNORECASE
)
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\s]+")

_FIELD_NAMES = (
    "arguments audio content data description detail dimensions effort encoding_format file file_data file_id filename "
    "format function generate_summary id image_url include_usage index input input_audio input_text instructions items "
    "json_schema logit_bias logprobs max_completion_tokens max_output_tokens max_tokens messages metadata modalities "
    "model name output parameters prediction previous_response_id prompt properties reasoning required response_format "
    "role schema seed stop stream stream_options strict summary temperature text tool_call_id tool_calls tool_choice "
    "tools top_logprobs top_p type url user verbosity voice"
)
_FIELDS: Final = frozenset(_FIELD_NAMES.split())


def clean(text: str) -> str:
    """One line of at most 600 characters; "" where a page of HTML stood instead of a reason."""
    text = _UNPRINTABLE.sub(" ", text[: _READ_MAX + 1])
    if _MARKUP.search(text):
        return ""
    if len(text) > _READ_MAX:  # not through a word: half a key is no longer seen to be one
        text = text.rpartition(" ")[0]
    for pattern in (_URL, _KEY, _IPV6, _IPV4):
        text = pattern.sub(REMOVED, text)
    text = _DOTTED.sub(_dotted, text)
    text = _HOST_AND_PORT.sub(REMOVED, text).strip()
    return text if len(text) <= CHARACTERS_MAX else text[: CHARACTERS_MAX - 1].rstrip() + "…"


def _dotted(match: re.Match[str]) -> str:
    name = match[0].partition(":")[0].rstrip(".")
    labels = name.split(".")
    last = labels[-1]
    is_field = all(label in _FIELDS or label.isdigit() for label in labels)
    could_be_host = len(last) > 1 and last[0].isalpha()
    return match[0] if is_field or not could_be_host else REMOVED
