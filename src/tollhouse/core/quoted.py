"""Whether a caller wrote a text themselves: what a provider repeats of a request may be shown to who sent it."""

from typing import Final

from tollhouse.core.model_request import ModelRequest

CHARACTERS_MIN: Final = 4


def stands_in(request: ModelRequest, text: str) -> bool:
    """Whether a text stands in a request, as it is or as JSON may write it, with escaped slashes. Reads all of the
    request once or twice; in one whose body was dropped nothing stands."""
    if len(text) < CHARACTERS_MIN:
        return False
    plain = text.encode()
    escaped = text.replace("/", "\\/").encode()
    for raw in request.members.values():
        value = bytes(raw)
        if plain in value or (escaped != plain and escaped in value):
            return True
    return False
