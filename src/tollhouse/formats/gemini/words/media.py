"""Pictures, sound, films and documents: `inlineData` holds them, `fileData` says where they are."""

import re
from base64 import b64decode
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from tollhouse.core.conversation import MediaKind, MediaPart
from tollhouse.core.failure import BadRequest, UnsupportedParameter
from tollhouse.core.provider_json import Object
from tollhouse.formats.gemini.contents import object_under, text_under
from tollhouse.formats.gemini.spelling import under

_KEPT: Final = re.compile(r"gs://|files/|https://generativelanguage\.googleapis\.com/", re.IGNORECASE)
"""Where Google keeps what was uploaded: nobody else gets in there."""
_FILMS: Final = re.compile(r"https?://(?:www\.|m\.)?(?:youtube\.com|youtu\.be)/", re.IGNORECASE)
_ENDINGS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "png": "image/png",
        "jpg": "image/jpeg",
        "jpeg": "image/jpeg",
        "webp": "image/webp",
        "gif": "image/gif",
        "heic": "image/heic",
        "heif": "image/heif",
        "bmp": "image/bmp",
        "pdf": "application/pdf",
        "txt": "text/plain",
        "md": "text/markdown",
        "html": "text/html",
        "csv": "text/csv",
        "json": "text/plain",
        "mp3": "audio/mp3",
        "wav": "audio/wav",
        "ogg": "audio/ogg",
        "flac": "audio/flac",
        "m4a": "audio/m4a",
        "mp4": "video/mp4",
        "webm": "video/webm",
        "mov": "video/quicktime",
        "mpeg": "video/mpeg",
    }
)
_BEGINNINGS: Final = (
    ("iVBORw0KGgo", "image/png"),
    ("/9j/", "image/jpeg"),
    ("R0lGOD", "image/gif"),
    ("JVBERi0", "application/pdf"),
    ("SUQz", "audio/mp3"),
)
"""Of base64: how a kind of file begins."""
_DATA_URL: Final = re.compile(r"\Adata:[^,]{0,200},", re.IGNORECASE)
"""Many write one where only its data is meant."""
_TEXTS: Final = ("text/", "application/json", "application/xml", "application/x-javascript", "application/x-python")
"""Documents that Gemini reads as text; others want a text to be one."""
_URL_SAFE: Final = str.maketrans("-_", "+/")
_USUAL: Final[Mapping[MediaKind, str]] = MappingProxyType(
    {"image": "image/jpeg", "audio": "audio/wav", "video": "video/mp4", "file": "application/pdf"}
)
_RESOLUTIONS: Final = ("low", "high")


def read_medium(part: Object, path: str) -> MediaPart:
    """The medium of a part. Raises BadRequest where it is none."""
    resolution = object_under(part, "mediaResolution")
    level = text_under(resolution, "level").rpartition("_")[2].lower()
    detail = level if level in _RESOLUTIONS else ""
    inline = object_under(part, "inlineData")
    if inline:
        data, media_type = text_under(inline, "data"), text_under(inline, "mimeType")
        if not data or not media_type:
            raise BadRequest(f"'{path}' must have 'mimeType' and 'data'.", param=path)
        media_type, name = media_type.lower(), text_under(inline, "displayName")
        data = standard_base64(_DATA_URL.sub("", data))
        if media_type.startswith(_TEXTS) and (text := _decoded(data)):
            return MediaPart(kind="file", text=text, media_type="text/plain", name=name)
        return MediaPart(kind=kind_of(media_type), data=data, media_type=media_type, name=name, detail=detail)
    linked = object_under(part, "fileData")
    uri, media_type = text_under(linked, "fileUri"), text_under(linked, "mimeType").lower()
    if not uri:
        raise BadRequest(f"'{path}' must have 'fileUri'.", param=path)
    if _KEPT.match(uri):
        return MediaPart(kind=kind_of(media_type), file_id=uri, media_type=media_type)
    kind: MediaKind = "video" if _FILMS.match(uri) else kind_of(media_type or _by_ending(uri))
    return MediaPart(kind=kind, url=uri, media_type=media_type, detail=detail)


def _decoded(data: str) -> str | None:
    try:
        return b64decode(data, validate=True).decode()
    except ValueError:
        return None


def standard_base64(data: str) -> str:
    """Base64 as other formats want it. Google takes that of URLs too, which google-genai writes, and no padding."""
    missing = -len(data) % 4
    standard = data.translate(_URL_SAFE) if "-" in data or "_" in data else data
    return standard + "=" * missing if missing else standard


def write_medium(medium: MediaPart) -> Object:
    """A medium as a part. Raises UnsupportedParameter for one that only another vendor can find."""
    if medium.data:
        inline: Object = {"mimeType": type_of(medium), "data": medium.data}
        return {"inlineData": inline}
    if medium.url:
        media_type = medium.media_type or _by_ending(medium.url)
        if not media_type and not _FILMS.match(medium.url):
            media_type = _USUAL[medium.kind]
        linked: Object = {"mimeType": media_type} if media_type else {}
        return {"fileData": {**linked, "fileUri": medium.url}}
    if medium.text:
        return {"text": f"{medium.name}:\n\n{medium.text}" if medium.name else medium.text}
    raise UnsupportedParameter("A file that another provider keeps cannot be passed on.")


def kind_of(media_type: str) -> MediaKind:
    kind = media_type.lower().partition("/")[0]
    return "image" if kind == "image" else "audio" if kind == "audio" else "video" if kind == "video" else "file"


def type_of(medium: MediaPart) -> str:
    """What a medium in the body is, by its own word, its name, or how it begins."""
    if medium.media_type:
        return medium.media_type
    by_name = _by_ending(medium.name) if medium.name else ""
    return by_name or next(
        (found for begin, found in _BEGINNINGS if medium.data.startswith(begin)), _USUAL[medium.kind]
    )


def _by_ending(name: str) -> str:
    path = name.partition("?")[0].partition("#")[0]
    return _ENDINGS.get(path.rpartition(".")[2].lower(), "")


def is_medium(part: Object) -> bool:
    return under(part, "inlineData") is not None or under(part, "fileData") is not None
