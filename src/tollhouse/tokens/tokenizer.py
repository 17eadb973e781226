"""Tokens as the vendor counts them where its vocabulary is public, and by rule where it is not."""

import asyncio
from collections.abc import Callable, Iterable
from functools import partial
from threading import Lock
from typing import Final

from tollhouse.core.failure import Overloaded
from tollhouse.core.workers import WorkerThreads
from tollhouse.tokens.cut import pieces
from tollhouse.tokens.estimator import Estimator
from tollhouse.tokens.vocabulary import Encoder, load, named_for

PIECE_CHARACTERS_MAX: Final = 32 * 1024
"""What the encoder is given at once: it looks ahead and merges within it only, so time grows with length alone. One
turn in a thread counts as much: 1 ms, 8 ms at the worst."""

EXACT_CHARACTERS_MAX: Final = 1024 * 1024
"""A longer text is estimated from samples: few models read so much, and it is counted where nobody reports it only."""

SAMPLES: Final = 64
SAMPLE_CHARACTERS: Final = 4096

INLINE_CHARACTERS_MAX: Final = 4096
"""Up to here the event loop counts (0.2 to 0.4 ms); a longer text is worth the way to a thread."""


class Tokenizer:
    """A `core.tokens.TextCounter`. Reads a vocabulary when it is first needed, and keeps it. Threads may share it.

    For a text of more than PIECE_CHARACTERS_MAX characters the count is exact if the text has a seam (see `cut`) in
    each such stretch, as prose and code have; otherwise each stretch without one may add a token. A text of more than
    EXACT_CHARACTERS_MAX is estimated from SAMPLES parts of it.
    """

    def __init__(self, load: Callable[[str], Encoder] = load, threads: WorkerThreads | None = None) -> None:
        """`load` gives a vocabulary by name; `aside` is where long texts are counted; None: where it stands."""
        self._load = load
        self._loading = Lock()
        self._encoders: dict[str, Encoder] = {}
        self._reading: dict[str, asyncio.Future[Encoder]] = {}
        self._estimator = Estimator()
        self._threads = threads

    def count(self, text: str, model: str) -> int:
        if len(text) <= EXACT_CHARACTERS_MAX and named_for(model) is None:
            return self._estimator.count(text, model)
        counted = sum(self._of_part(part, model) for part in _parts(text))
        return _scaled(counted, text)

    async def count_aside(self, text: str, model: str, account_id: str) -> int:
        """Like `count`, without holding up the event loop: a long text, or a first one, is counted in threads, part by
        part, and accounts take turns between the parts. Beyond what one account may have waiting it is estimated from
        one part.

        A caller that is cancelled while it waits for its turn is not counted; a part that has begun runs to its end.
        """
        vocabulary = named_for(model)
        short = len(text) <= INLINE_CHARACTERS_MAX and (vocabulary is None or vocabulary in self._encoders)
        if short or self._threads is None:
            return self.count(text, model)
        counted = 0
        try:
            for part in _parts(text):
                counted += await self._threads.run(account_id, partial(self._of_part, part, model))
        except Overloaded:
            sample = text[:SAMPLE_CHARACTERS]
            return self._estimator.count(sample, model) * len(text) // max(1, len(sample))
        return _scaled(counted, text)

    async def prepare(self, model: str) -> None:
        """Read the model's vocabulary if this was not done yet, in a thread: 0.1 to 0.3 s of CPU, once. It is read for
        all who ask meanwhile, and no account's turn."""
        vocabulary = named_for(model)
        if vocabulary is None or vocabulary in self._encoders or self._threads is None:
            return
        reading = self._reading.get(vocabulary)
        if reading is None:
            reading = asyncio.ensure_future(self._threads.run("", partial(self._loaded, vocabulary)))
            self._reading[vocabulary] = reading
            reading.add_done_callback(lambda _: self._reading.pop(vocabulary))
        await asyncio.shield(reading)

    def exact(self, model: str) -> bool:
        return named_for(model) is not None

    def _of_part(self, text: str, model: str) -> int:
        vocabulary = named_for(model)
        if vocabulary is None:
            return self._estimator.count(text, model)
        encoder = self._encoders.get(vocabulary) or self._loaded(vocabulary)
        return len(encoder.encode_ordinary(text))

    def _loaded(self, vocabulary: str) -> Encoder:
        with self._loading:
            if vocabulary not in self._encoders:
                self._encoders[vocabulary] = self._load(vocabulary)
            return self._encoders[vocabulary]


def _parts(text: str) -> Iterable[str]:
    """A text in parts that are counted one by one; of one that is too long, samples from all over it."""
    if len(text) <= PIECE_CHARACTERS_MAX:
        return (text,)
    if len(text) <= EXACT_CHARACTERS_MAX:
        return pieces(text, PIECE_CHARACTERS_MAX)
    step = (len(text) - SAMPLE_CHARACTERS) // (SAMPLES - 1)
    return [text[at : at + SAMPLE_CHARACTERS] for at in range(0, SAMPLES * step, step)]


def _scaled(counted: int, text: str) -> int:
    if len(text) <= EXACT_CHARACTERS_MAX:
        return counted
    return counted * len(text) // (SAMPLES * SAMPLE_CHARACTERS)
