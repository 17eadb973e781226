"""How large the input of a request can be, before anybody has counted a token."""

import re
from typing import Final

from msgspec import Struct

from tollhouse.protocols.openai.request import Request

MEDIA_TOKENS: Final = 20_000
"""For each part of media: above what any provider bills for one image at full detail."""

_INLINE: Final = re.compile(rb'"(?:data:[^",]{0,200};base64,)?[A-Za-z0-9+/=_-]{4096,}"')
_LINKED: Final = re.compile(rb'"(?:image_url|url|file_url|video_url)"\s*:\s*"https?:')
_ELSEWHERE: Final = ("previous_response_id", "conversation", "prompt")
_HOSTED: Final = re.compile(rb'"type"\s*:\s*"(?!function"|custom")[a-z_0-9]+"')
_FILE_ID: Final = re.compile(rb'"file_id"\s*:\s*"')


class Extent(Struct, frozen=True):
    """`bytes` of text with its JSON, `parts` of media in or beside it, `elsewhere`: some is not in the body."""

    bytes: int = 0
    parts: int = 0
    elsewhere: bool = False

    @property
    def media(self) -> int:
        """Tokens of the media at most."""
        return self.parts * MEDIA_TOKENS


def extent(request: Request) -> Extent:
    """Media in the body is taken out of its bytes. What is linked, or lies with the provider, can be of any size."""
    members = request.members
    elsewhere = request.operation == "responses" and any(name in members for name in _ELSEWHERE)
    if "tools" in members and request.operation == "responses":
        elsewhere = elsewhere or _HOSTED.search(members["tools"]) is not None
    size, parts = request.length, 0
    for name in ("messages", "input"):
        raw = members.get(name)
        if raw is None:
            continue
        elsewhere = elsewhere or _FILE_ID.search(raw) is not None
        parts += len(_LINKED.findall(raw))
        if size > 4096:
            for part in _INLINE.finditer(raw):
                size -= part.end() - part.start()
                parts += 1
    return Extent(max(size, 0), parts, elsewhere)
