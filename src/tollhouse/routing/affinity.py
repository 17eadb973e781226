"""Which calls belong together: same key and same start of the prompt, so that a provider's prompt cache is found again.

CRC-32 because it is the cheapest stable hash at hand and nothing depends on its strength: who builds collisions only
sends his own calls to the same provider.
"""

from typing import Final
from zlib import crc32

START_BYTES: Final = 1024


def affinity(key_id: str, prompt: bytes) -> int:
    """32 bits. `prompt`: the raw bytes of the member that begins the prompt (`messages`, `input`, ...)."""
    return crc32(prompt[:START_BYTES], crc32(key_id.encode()))
