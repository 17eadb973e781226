"""Ids of tool calls, as long as OpenAI takes them in requests."""

from hashlib import sha256


def short_id(call_id: str, characters_max: int) -> str:
    """A longer one becomes another, always the same."""
    if len(call_id) <= characters_max:
        return call_id
    return f"call_{sha256(call_id.encode(errors='replace')).hexdigest()[: characters_max - 8]}"
