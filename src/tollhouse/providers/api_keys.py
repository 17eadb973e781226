"""Whether a text can be a provider's API key: found out when configuration is read, not at each call."""

from tollhouse.core.escaping import named


def check_api_key(text: str) -> str | None:
    """What is wrong with it, None if nothing. Names the place (from 1) and the character, never the key."""
    if not text:
        return "the key is empty"
    for place, character in enumerate(text, 1):
        if "!" <= character <= "~" and character not in "\"'":
            continue
        name = named(character)
        if character.isspace():
            return f"character {place} of {len(text)} is a blank ({name}); a key is one word"
        if character in "\"'":
            return f"character {place} of {len(text)} is a quotation mark ({name}) that was copied along; remove it"
        return (
            f"character {place} of {len(text)} ({name}) is not ASCII, which a header cannot carry"
            if ord(character) > 127
            else f"character {place} of {len(text)} ({name}) is a control character"
        )
    return None
