"""Parts that follow one another: a stream says a text in many, and clients send them back as they came.

Other makers want their thoughts back in one piece, with what they signed; Gemini signs a text at its end, often in an
empty part of its own.
"""

from collections.abc import Iterable

from tollhouse.core.conversation import Part, Reasoning, TextPart


def joined(parts: Iterable[Part]) -> list[Part]:
    """Texts that follow one another as one, and thoughts likewise, up to where each is signed."""
    found: list[Part] = []
    pieces: list[str] = []  # of the last part, which may go on
    for part in parts:
        last = found[-1] if pieces else None
        if isinstance(part, TextPart | Reasoning) and isinstance(last, type(part)):
            pieces.append(part.text)
            last.opaque = part.opaque
            if part.opaque is not None:
                _close(found, pieces)
            continue
        _close(found, pieces)
        if isinstance(part, TextPart) and not part.text:
            continue  # an empty text has nothing to sign
        found.append(part)
        if isinstance(part, TextPart | Reasoning) and part.opaque is None:
            pieces.append(part.text)
    _close(found, pieces)
    return found


def _close(found: list[Part], pieces: list[str]) -> None:
    last = found[-1] if pieces else None
    if isinstance(last, TextPart | Reasoning) and len(pieces) > 1:
        last.text = "".join(pieces)
    pieces.clear()
