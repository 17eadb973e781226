"""Tokens as the vendor counts them where its vocabulary is public, and by rule where it is not."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Final

from tollhouse.tokens.cut import pieces
from tollhouse.tokens.estimator import Estimator
from tollhouse.tokens.vocabulary import Encoder, load, named_for

PIECE_CHARACTERS_MAX: Final = 32 * 1024
"""What the encoder is given at once: it looks ahead and merges within it only, so time grows with length alone."""

EXACT_CHARACTERS_MAX: Final = 8 * 1024 * 1024
"""Of a longer text the rest is estimated. No model reads so much, and counting it takes about two seconds."""

INLINE_CHARACTERS_MAX: Final = 4096
"""Up to here the event loop counts (0.2 to 0.4 ms); a longer text is worth the way to a thread."""


class Tokenizer:
    """A `core.tokens.TextCounter`. Reads a vocabulary when it is first needed, and keeps it. Threads may share it.

    For a text of more than PIECE_CHARACTERS_MAX characters the count is exact if the text has a seam (see `cut`) in
    each such stretch, as prose and code have; otherwise each stretch without one may add a token.
    """

    def __init__(self, load: Callable[[str], Encoder] = load, threads: int = 1) -> None:
        """`load` gives a vocabulary by name; `threads` is how many long texts are counted at once, others wait."""
        self._load = load
        self._loading = Lock()
        self._encoders: dict[str, Encoder] = {}
        self._estimator = Estimator()
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="tokens")

    def count(self, text: str, model: str) -> int:
        vocabulary = named_for(model)
        if vocabulary is None:
            return self._estimator.count(text, model)
        encoder = self._encoders.get(vocabulary) or self._loaded(vocabulary)
        if len(text) <= PIECE_CHARACTERS_MAX:
            return len(encoder.encode_ordinary(text))
        head, rest = text[:EXACT_CHARACTERS_MAX], text[EXACT_CHARACTERS_MAX:]
        tokens = sum(len(encoder.encode_ordinary(piece)) for piece in pieces(head, PIECE_CHARACTERS_MAX))
        return tokens + self._estimator.count(rest, model)

    async def count_aside(self, text: str, model: str) -> int:
        """Like `count`, without holding up the event loop: a long text, or a first one, is counted in a thread.

        A caller that is cancelled while it waits for its turn is not counted; one that has begun runs to its end.
        """
        vocabulary = named_for(model)
        if len(text) <= INLINE_CHARACTERS_MAX and (vocabulary is None or vocabulary in self._encoders):
            return self.count(text, model)
        return await asyncio.get_running_loop().run_in_executor(self._threads, self.count, text, model)

    def exact(self, model: str) -> bool:
        return named_for(model) is not None

    def close(self) -> None:
        """Let go of the threads; what is being counted is finished first, what waits is dropped."""
        self._threads.shutdown(cancel_futures=True)

    def _loaded(self, vocabulary: str) -> Encoder:
        with self._loading:
            if vocabulary not in self._encoders:
                self._encoders[vocabulary] = self._load(vocabulary)
            return self._encoders[vocabulary]
