"""Pictures, sound and documents as OpenAI's formats hold them: `data:` URLs, addresses, ids of files."""

import re
from typing import Final

from tollhouse.core.conversation import CacheMark, Conversation, MediaKind, MediaPart
from tollhouse.core.failure import BadRequest, UnsupportedParameter
from tollhouse.core.features import note
from tollhouse.formats.openai.words.members import Object, object_of, text

_DATA_URL: Final = re.compile(r"data:([^,;]*)(?:;[^,;]*)*?(;base64)?,", re.IGNORECASE)
_SOUNDS: Final = {"mpeg": "mp3", "x-wav": "wav", "wave": "wav", "x-m4a": "m4a", "mp4": "m4a", "x-flac": "flac"}
_MEDIA_FEATURES: Final = {
    "image": ("images", "image_urls"),
    "video": ("video", "video"),
    "audio": ("audio", "audio"),
    "file": ("files", "file_urls"),
}
_FILE_TYPES: Final = {"pdf": "application/pdf", "txt": "text/plain", "csv": "text/csv", "md": "text/markdown"}


def read_url(conversation: Conversation, kind: MediaKind, url: str, path: str) -> MediaPart:
    """A medium that a URL names or holds."""
    held, linked = _MEDIA_FEATURES[kind]
    if url[:5].lower() == "data:":
        begin = _DATA_URL.match(url)
        if begin is None or begin[2] is None:
            raise BadRequest(f"'{path}' must be a URL, or data as in 'data:image/png;base64,...'.", param=path)
        note(conversation, held, path)
        return MediaPart(kind=kind, data=url[begin.end() :], media_type=begin[1].lower())
    if not url:
        raise BadRequest(f"'{path}' must be a URL.", param=path)
    note(conversation, linked, path)
    return MediaPart(kind=kind, url=url)


def read_image(conversation: Conversation, value: object, path: str) -> MediaPart:
    """Of a chat: `{"url", "detail"}`, or the URL alone."""
    found: Object = {"url": value} if isinstance(value, str) else object_of(value, path)
    image = read_url(conversation, "image", text(found.get("url"), f"{path}.url"), path)
    image.detail = found["detail"] if isinstance(found.get("detail"), str) else ""
    return image


def read_audio(conversation: Conversation, value: object, path: str) -> MediaPart:
    found = object_of(value, path)
    data, form = text(found.get("data"), f"{path}.data"), found.get("format")
    if data[:5].lower() == "data:":
        return read_url(conversation, "audio", data, path)
    note(conversation, "audio", path)
    form = form if isinstance(form, str) and form else "wav"
    return MediaPart(kind="audio", data=data, media_type="audio/mpeg" if form == "mp3" else f"audio/{form}")


def read_file(conversation: Conversation, found: Object, path: str) -> MediaPart:
    """A document: `file_data` (a `data:` URL, or base64 alone), `file_url` or `file_id`."""
    name = found["filename"] if isinstance(found.get("filename"), str) else ""
    data, url, file_id = found.get("file_data"), found.get("file_url"), found.get("file_id")
    if isinstance(data, str) and data:
        if data.startswith(("data:", "http:", "https:")):
            part = read_url(conversation, "file", data, path)
        else:
            note(conversation, "files", path)
            part = MediaPart(kind="file", data=data)
        part.media_type = part.media_type or _FILE_TYPES.get(name.rpartition(".")[2].lower(), "")
    elif isinstance(url, str) and url:
        part = read_url(conversation, "file", url, path)
    elif isinstance(file_id, str) and file_id:
        note(conversation, "file_ids", path)
        part = MediaPart(kind="file", file_id=file_id)
    else:
        raise BadRequest(f"'{path}' must have 'file_data', 'file_url' or 'file_id'.", param=path)
    part.name = name
    return part


def read_cache_mark(conversation: Conversation, part: Object, path: str) -> CacheMark:
    """Of providers that take Anthropic's marks."""
    mark = part.get("cache_control")
    if not isinstance(mark, dict):
        return ""
    note(conversation, "cache_marks", f"{path}.cache_control")
    return "1h" if mark.get("ttl") == "1h" else "5m"


def url_of(part: MediaPart) -> str:
    """Where a medium is, or itself as a URL."""
    if part.url:
        return part.url
    if part.data:
        return f"data:{part.media_type or _usual_type(part.kind)};base64,{part.data}"
    raise UnsupportedParameter("A file that another provider keeps cannot be passed on.")


def audio_of(part: MediaPart) -> dict[str, str]:
    if not part.data:
        raise UnsupportedParameter("Sound can be passed on to the provider of this model as data only.")
    form = (part.media_type.partition(";")[0].rpartition("/")[2] or "wav").lower()
    return {"data": part.data, "format": _SOUNDS.get(form, form)}


def name_of(part: MediaPart) -> str:
    """The name of a file; a provider that gets its data asks for one."""
    if part.name:
        return part.name
    endings = {media_type: ending for ending, media_type in _FILE_TYPES.items()}
    return f"file.{endings.get(part.media_type, 'pdf')}"


def _usual_type(kind: MediaKind) -> str:
    return {"image": "image/png", "audio": "audio/wav", "video": "video/mp4", "file": "application/pdf"}[kind]
