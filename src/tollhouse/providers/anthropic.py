"""Anthropic's own API: the Messages format, its key in `x-api-key`, a version in every call.

SDKs add `/v1` to a base URL, so operators may write it or not.
"""

import re
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Final

from tollhouse.core.upstream import Headers
from tollhouse.providers.base_path import versioned
from tollhouse.providers.error_rules import reader, rule
from tollhouse.providers.headers import ANTHROPIC_VERSION, with_key_in
from tollhouse.providers.kind import Kind
from tollhouse.providers.retry_after import LONGEST_MS, retry_after_ms
from tollhouse.providers.targets import choose

_PARAM: Final = re.compile(r"([a-z_]{2,40}(?:\.[a-z0-9_]{1,40}){0,12}): (?=\S)")
"""`messages.0.content.1.text: Field required`"""

RULES: Final = (
    rule("empty_account", says=r"your credit balance is too low", source="claude-code#4684, with 400"),
    rule(
        "empty_account",
        says=r"you have reached your specified (?:workspace )?API usage limits",
        source="docs, with 400",
    ),
    rule("empty_account", "enforced_spend_limit_reached", source="docs, with 429"),
    rule("no_permission", says=r"(?:this|your) organization has been disabled", source="claude-code#8327, with 400"),
    rule("no_permission", "forbidden", says=r"request not allowed", status=403, source="claude-code#3209, regions"),
    rule("policy", says=r"output blocked by content filtering policy", source="claude-code#6195, with 400"),
    rule(
        "bad_request",
        says=r".*\b(?:file|container|skill|agent|session|vault)\b.*\bnot found",
        status=404,
        source="docs: Files, Skills",
    ),
)


def _until_reset(headers: Headers, body: bytes) -> int | None:
    """Where `Retry-After` is missing: until the last of the limits that are used up is filled again."""
    if retry_after_ms(headers) is not None:
        return None
    said = {name: value.decode("latin-1") for name, value in headers}
    used_up = [name for name, value in said.items() if name.endswith(b"-remaining") and value.strip() == "0"]
    resets = [said.get(name.removesuffix(b"remaining") + b"reset", "") for name in used_up]
    try:
        now = parsedate_to_datetime(said.get(b"date", ""))
        waits = [(datetime.fromisoformat(reset) - now).total_seconds() for reset in resets]
    except (ValueError, TypeError, OverflowError):
        return None
    return max(0, min(int(max(waits) * 1_000), LONGEST_MS)) if waits else None


KIND: Final = Kind(
    name="anthropic",
    title="Anthropic",
    base_url="https://api.anthropic.com/v1",
    base_path=versioned("/v1"),
    speaks=("anthropic_messages",),
    target=choose(text={"anthropic_messages": "/messages"}, others={}),
    make_headers=with_key_in(b"x-api-key", usual=(ANTHROPIC_VERSION,)),
    read_error=reader(*RULES, waiting=_until_reset, param=_PARAM),
)
