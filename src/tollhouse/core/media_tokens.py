"""What media count for in an answer, or in a prompt, where nobody reports it."""

from typing import Final

PICTURE_TOKENS: Final = 250
"""What a picture, asked or answered with, counts for: no provider takes less at full detail."""
_CHARACTERS_PER_TOKEN: Final = 6_400  # of sound in base64: ten tokens for a second of plain sound, fewer if packed


def sound_tokens(characters: int) -> int:
    """What so many characters of sound in base64 count for: less than any provider takes."""
    return -(-characters // _CHARACTERS_PER_TOKEN)
