"""The public vocabularies: which model counts by which, and the package data they are read from. Nothing is fetched.

A packed file is zlib over the lengths of all tokens, a byte each, and then the tokens themselves, in the order of
their ranks. `scripts/write_vocabularies.py` packs them; `published` gives the vendor's own file back, which a test
compares with the hash below.
"""

import re
import zlib
from base64 import b64encode
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Final, Protocol

from msgspec import Struct

FOLDER: Final = Path(__file__).parent / "vocabularies"


class Encoder(Protocol):
    """Where a model's text is cut into tokens; what tiktoken's `Encoding` gives of itself here."""

    def encode_ordinary(self, text: str) -> list[int]:
        """The tokens of a text. The names of special tokens in it are text like any other."""
        ...


class Vocabulary(Struct, frozen=True):
    name: str
    pattern: str  # cuts a text into words; merging never crosses the cuts
    tokens: int
    sha256: str  # of the published file


# The patterns are part of the published vocabularies, as tiktoken 0.14 has them.
_CL100K = "|".join(
    (
        r"'(?i:[sdmt]|ll|ve|re)",
        r"[^\r\n\p{L}\p{N}]?+\p{L}++",
        r"\p{N}{1,3}+",
        r" ?[^\s\p{L}\p{N}]++[\r\n]*+",
        r"\s++$",
        r"\s*[\r\n]",
        r"\s+(?!\S)",
        r"\s",
    )
)
_O200K = "|".join(
    (
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
        r"\p{N}{1,3}",
        r" ?[^\s\p{L}\p{N}]+[\r\n/]*",
        r"\s*[\r\n]+",
        r"\s+(?!\S)",
        r"\s+",
    )
)

VOCABULARIES: Final[Mapping[str, Vocabulary]] = {
    "o200k_base": Vocabulary(
        "o200k_base", _O200K, 199_998, "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d"
    ),
    "cl100k_base": Vocabulary(
        "cl100k_base", _CL100K, 100_256, "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7"
    ),
}

_END = r"(?![a-z0-9])"
_MODELS: Final = (  # the first that fits the beginning of a name
    (
        re.compile(
            rf"(ft:)?(chatgpt-|gpt-4o|gpt-4\.|gpt-[5-9]|gpt-(?!35)[1-9]\d|gpt-oss|gpt-(audio|realtime|image){_END}"
            rf"|o[1-9]{_END}|codex{_END}|computer-use-preview)"
        ),
        "o200k_base",
    ),
    (
        re.compile(rf"(ft:)?(gpt-4{_END}|gpt-3\.?5{_END}|text-embedding-(3-|ada-002)|(davinci|babbage)-002{_END})"),
        "cl100k_base",
    ),
)


@lru_cache(maxsize=512)
def named_for(model: str) -> str | None:
    """The vocabulary a model counts by, from its name with or without a maker before a slash. None: not public."""
    name = model.rpartition("/")[2].lower()
    return next((vocabulary for pattern, vocabulary in _MODELS if pattern.match(name)), None)


def load(name: str) -> Encoder:
    """Read a vocabulary of ours: 0.1 to 0.3 s of CPU and 32 to 75 MB, once. Raises KeyError for a name we do not ship.

    tiktoken is imported here, so that only a process that counts by a vocabulary pays for it.
    """
    import tiktoken

    vocabulary = VOCABULARIES[name]
    ranks = {token: rank for rank, token in enumerate(_tokens(vocabulary))}
    return tiktoken.Encoding(name, pat_str=vocabulary.pattern, mergeable_ranks=ranks, special_tokens={})


def published(name: str) -> bytes:
    """The vendor's file, line by line as it was published: a token in base64 and its rank."""
    tokens = _tokens(VOCABULARIES[name])
    return b"".join(b"%s %d\n" % (b64encode(token), rank) for rank, token in enumerate(tokens))


def _tokens(vocabulary: Vocabulary) -> Iterator[bytes]:
    data = zlib.decompress((FOLDER / f"{vocabulary.name}.zlib").read_bytes())
    end = vocabulary.tokens
    for length in data[: vocabulary.tokens]:
        start, end = end, end + length
        yield data[start:end]
