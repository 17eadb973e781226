"""Sound on its way to the caller: bytes, which nobody here reads.

The last of them are kept until the charge is durable. Where the provider breaks off, nothing more is sent, and the body
has no end.
"""

from typing import Final

from tollhouse.core.failure import Failure, UpstreamBroke
from tollhouse.core.media_tokens import sound_tokens
from tollhouse.core.text_start import TextStarts
from tollhouse.core.usage import Usage

HELD_BYTES: Final = 1024


class BytesRelay:
    """See `core.codec.RelayedStream`."""

    cut = failed = incomplete = lacks_report = finishing = False
    sequence_number = pending = uncounted = 0
    usage = raw_usage = None

    def __init__(self) -> None:
        self._held = b""
        self._size = 0
        self.failure: Failure | None = None
        self.is_complete = False
        self.heads: TextStarts = {}

    def feed(self, data: bytes) -> bytes:
        self._size += len(data)
        data = self._held + data
        self._held = data[-HELD_BYTES:]
        return data[:-HELD_BYTES]

    def finish(self) -> None:
        if not self._size:
            self.failure = UpstreamBroke("The provider answered without a sound.")
            raise self.failure
        self.is_complete = True

    def feed_late(self, data: bytes) -> None:
        """There is no report."""

    def seal(
        self, charge_usd: str, request_id: str, cap_reason: str | None = None, counted: Usage | None = None
    ) -> bytes:
        return self._held if self.is_complete else b""

    def delivered(self) -> Usage:
        """As sound counts that nobody has reported: by what it would have in base64."""
        return Usage(audio_out=sound_tokens(-(-self._size * 4 // 3)))
