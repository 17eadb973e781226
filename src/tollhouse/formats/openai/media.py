"""What in the input of a request is no text: media that lie in it, links to some, ids of what the provider keeps.

Known by the place they stand in, never by how they look: a text that looks like base64 is read as text, and paid as
text. Names are compared without regard to case, because some servers read them so.
"""

from collections.abc import Iterator
from typing import Any, Final, Literal, NamedTuple

_TEXTS: Final = frozenset(("role", "content", "text", "name", "arguments", "tool_call_id"))
"""Under these names stands what is read as it is; they are by far the most."""
_PLACES: Final = frozenset(
    ("image", "image_url", "video", "video_url", "audio", "audio_url", "input_audio", "file", "file_url", "file_data")
)
_WITHIN: Final = frozenset(("url", "data"))
_EVEN_SOUNDS: Final = frozenset(("wav", "x-wav", "wave", "mp3", "mpeg", "pcm16"))
"""Formats in which a second of silence takes as much room as any other."""

_PICTURES: Final = frozenset(
    ("png", "jpg", "jpeg", "jpe", "jfif", "webp", "gif", "bmp", "tif", "tiff", "heic", "heif", "avif", "ico", "svg")
)


class Medium(NamedTuple):
    """`kind`: a picture, sound whose length its bytes bound, or what may be of any size. `inline`: `text`, which stands
    in `holder[name]`, is the medium itself."""

    kind: Literal["picture", "sound", "any"]
    inline: bool
    text: str
    holder: dict[str, Any]
    name: str


def media(value: Any) -> Iterator[Medium]:
    """Every medium in a decoded value, each once."""
    waiting: list[tuple[str, Any]] = [("", value)]
    while waiting:
        location, value = waiting.pop()
        if isinstance(value, list):
            waiting += [(location, item) for item in value if isinstance(item, dict | list)]
        elif isinstance(value, dict):
            for name, item in value.items():
                if isinstance(item, str):
                    if name not in _TEXTS and (found := _medium(location, value, name, item)) is not None:
                        yield found
                elif isinstance(item, dict | list):
                    waiting.append((name.casefold(), item))


def _medium(location: str, holder: dict[str, Any], name: str, text: str) -> Medium | None:
    folded = name.casefold()
    if folded == "file_id" or (folded == "id" and location == "audio") or text == "item_reference":
        return Medium("any", False, text, holder, name)
    where = folded if folded in _PLACES else location if folded in _WITHIN and location in _PLACES else ""
    if not where or not text:
        return None
    kind, _, form = _said(text, where, holder).partition("/")
    if text[:5].lower() != "data:" and "://" in text[:32]:
        picture = kind == "image" and _leads_to_picture(text, holder)
        return Medium("picture" if picture else "any", False, text, holder, name)
    if kind == "image":
        return Medium("picture", True, text, holder, name)
    return Medium("sound" if kind == "audio" and form in _EVEN_SOUNDS else "any", True, text, holder, name)


def _leads_to_picture(link: str, holder: dict[str, Any]) -> bool:
    """Whether a link in the place of a picture can lead to nothing longer. Some gateways take what it leads to for what
    its ending says, or `format`: a film is thousands of pictures."""
    said = holder.get("format", holder.get("media_type"))
    if said is not None and not str(said).lower().startswith("image/"):
        return False
    scheme, _, rest = link.partition("://")
    path = rest.partition("?")[0].partition("#")[0].partition("/")[2]
    _, dot, ending = path.rpartition("/")[2].rpartition(".")
    if dot and ending:
        return ending.lower() in _PICTURES
    return scheme.lower() in ("http", "https")


def _said(text: str, where: str, holder: dict[str, Any]) -> str:
    """What a medium says it is, as a media type: by its own address, or by the place it stands in."""
    if text[:5].lower() == "data:":
        return text[5:105].partition(",")[0].partition(";")[0].strip().lower()
    if "audio" in where:
        return f"audio/{holder.get('format')}".lower()
    return where.partition("_")[0]
