"""Public ids: a prefix that names the kind, then 26 base32 characters (RFC 4648, lower case).

The first 48 bits are the time in milliseconds, so that rows written together lie together in an index;
the other 80 are random. Time and random bytes come in as arguments.
"""

_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
_PAIRS = tuple(a + b for a in _ALPHABET for b in _ALPHABET)

RANDOM_BYTES = 10


def make_id(prefix: str, now_ms: int, random: bytes) -> str:
    """Mint `prefix_` + 26 characters from a time and 10 random bytes."""
    n = ((now_ms & 0xFFFF_FFFF_FFFF) << 80 | int.from_bytes(random, "big")) << 2
    p = _PAIRS
    return (
        f"{prefix}_{p[n >> 120 & 1023]}{p[n >> 110 & 1023]}{p[n >> 100 & 1023]}{p[n >> 90 & 1023]}"
        f"{p[n >> 80 & 1023]}{p[n >> 70 & 1023]}{p[n >> 60 & 1023]}{p[n >> 50 & 1023]}{p[n >> 40 & 1023]}"
        f"{p[n >> 30 & 1023]}{p[n >> 20 & 1023]}{p[n >> 10 & 1023]}{p[n & 1023]}"
    )


def time_of(text: str) -> int | None:
    """Unix milliseconds at which an id was minted; None for what is no id."""
    _, _, characters = text.rpartition("_")
    places = [_ALPHABET.find(character) for character in characters]
    if len(places) != 26 or -1 in places:
        return None
    n = 0
    for place in places[:10]:
        n = n << 5 | place
    return n >> 2
