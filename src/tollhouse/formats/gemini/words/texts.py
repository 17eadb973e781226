"""Texts of a provider, fit for formats that cannot say half of a surrogate pair."""


def sound_text(text: str) -> str:
    """A text without halves: two that follow one another are a character, one alone is U+FFFD."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text
