"""A chunked request body, taken apart by llhttp, and the place where it ends, which llhttp does not tell."""

import httptools

from tollhouse.core.failure import BadRequest, HeadersTooLarge

_HEAD = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
_END = b"\r\n\r\n"
_PIECE_BYTES = 256
"""What a piece beyond the first of a read counts as, in bytes of framing: each costs 3 microseconds, however small."""
_STEP_BYTES = 16 * 1024
"""Of framing that llhttp gets at once, before it is weighed: in chunks of one byte 3 milliseconds."""
_LINE_BYTES = 64  # kept of what was fed: enough for a chunk's size, and an extension of some words


class Chunks:
    """Feed it what comes; it gives the body, and once that is over, what came behind it.

    A chunked body always ends with an empty line, so the bytes go to llhttp in pieces that end with one, and `done` is
    looked at after each. The data of a chunk may hold any number of empty lines: behind the first one, what is left of
    the chunk goes in one piece, and llhttp must take all of it for data. A fixed head goes first: upgrades and odd
    headers of the real one cannot change how this parser reads. Trailers are dropped.
    """

    def __init__(self, framing_bytes_max: int) -> None:
        self.done = False
        self._framing_max = framing_bytes_max
        self._framing = 0  # bytes since the last byte of body: chunk extensions, trailers
        self._surplus = 0  # bytes of framing beyond the bytes of body
        self._body: list[bytes] = []
        self._tail = b"\r\n"  # of what was fed
        self._came = 0  # bytes of data of the chunk under way
        self._left = 0  # bytes of its data still to come, where they are known
        self._parser = httptools.HttpRequestParser(self)
        self._parser.feed_data(_HEAD)

    def feed(self, data: bytes) -> tuple[bytes, bytes]:
        """The body bytes in `data`, and what stands behind the end of the body.

        Raises BadRequest; HeadersTooLarge where there is more framing than body, or a body of many small pieces: a body
        in chunks of one byte costs a call for each.
        """
        begin = 0
        while begin < len(data) and not self.done:
            if self._left:
                end = min(begin + self._left, len(data))
            else:
                end = min(self._piece_end(data, begin), begin + _STEP_BYTES)
            self._feed(data, begin, end)
            begin = end
        body = b"".join(self._body)
        self._body.clear()
        return body, data[begin:]

    def close(self) -> None:
        """Nothing is fed any more. The parser refers back to this object, which only the collector could free else."""
        del self._parser

    def _feed(self, data: bytes, begin: int, end: int) -> None:
        self._framing += end - begin
        self._surplus += end - begin + (_PIECE_BYTES if begin else 0)
        came = self._came
        try:
            self._parser.feed_data(memoryview(data)[begin:end])
        except httptools.HttpParserError as error:
            raise BadRequest(f"The chunked body of this request is not valid HTTP: {error}.") from None
        if self._framing > self._framing_max or self._surplus > self._framing_max // 2:
            raise HeadersTooLarge(
                "The chunks of this request are too small, or their extensions or trailers too large: most of what"
                " was sent is framing."
            )
        if self._left:
            if self._came - came != end - begin:
                raise BadRequest("A chunk of this request's body ends elsewhere than its size says.")
            self._left -= end - begin
        elif 0 < self._came <= end - begin:
            self._left = self._remaining(data, begin, end)
        self._tail = (self._tail + data[max(begin, end - _LINE_BYTES) : end])[-_LINE_BYTES:]

    def _piece_end(self, data: bytes, begin: int) -> int:
        """Where the next empty line ends; it may have begun in what came before."""
        tail = self._tail[-3:]
        seam = (tail + data[begin : begin + 3]).find(_END)
        if seam >= 0:
            return begin + seam + len(_END) - len(tail)
        found = data.find(_END, begin)
        return len(data) if found < 0 else found + len(_END)

    def _remaining(self, data: bytes, begin: int, end: int) -> int:
        """How much of the chunk under way is still to come, whose data began in this piece; 0 where its size stands too
        far back."""
        line_end = end - self._came
        before = (self._tail + data[max(begin, line_end - _LINE_BYTES) : line_end])[-_LINE_BYTES:]
        _, found, line = before.removesuffix(b"\r\n").rpartition(b"\r\n")
        return int(line.partition(b";")[0], 16) - self._came if found and before.endswith(b"\r\n") else 0

    def on_chunk_complete(self) -> None:
        self._came = 0

    def on_body(self, data: bytes) -> None:
        self._body.append(data)
        self._came += len(data)
        self._framing = 0
        self._surplus -= 2 * len(data)  # counted as framing, and outweighing as much of it

    def on_message_complete(self) -> None:
        self.done = True
