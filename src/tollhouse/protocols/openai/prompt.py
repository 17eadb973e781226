"""The text a model is asked to read: what is counted where a provider reports no usage."""

import re
from typing import Final

from tollhouse.protocols.openai.request import Request

_PROMPTS: Final = ("instructions", "messages", "input", "prompt", "tools")
_MEDIA = re.compile(rb'"(?:data:[^"]{64,}|[A-Za-z0-9+/=_-]{1024,})"')


def prompt(request: Request) -> str:
    """The members that become the prompt, as they were written, without media that lies in them as base64.

    The JSON around the texts is left in: models are asked in a form of about the same length.
    """
    texts = [bytes(request.members[name]) for name in _PROMPTS if name in request.members]
    return _MEDIA.sub(b'""', b"\n".join(texts)).decode()
