"""Embeddings made from a hash: unit vectors whose figures are exact in 32 bits, the same in every encoding."""

import hashlib
import math
import struct


def unit_vector(text: str, dimensions: int) -> list[float]:
    """The vector of a text; another text has nearly always one at about a right angle to it."""
    data = hashlib.shake_256(text.encode(errors="surrogatepass")).digest(2 * dimensions)
    raw = struct.unpack(f"<{dimensions}h", data)
    length = math.sqrt(sum(figure * figure for figure in raw)) or 1.0
    rounded = struct.pack(f"<{dimensions}f", *(figure / length for figure in raw))
    return list(struct.unpack(f"<{dimensions}f", rounded))
