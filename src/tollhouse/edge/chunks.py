"""A chunked request body, taken apart by llhttp, and the place where it ends, which llhttp does not tell."""

import httptools

from tollhouse.core.failure import BadRequest, HeadersTooLarge

_HEAD = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
_END = b"\r\n\r\n"


class Chunks:
    """Feed it what comes; it gives the body, and once that is over, what came behind it.

    A chunked body always ends with an empty line, so the bytes go to llhttp in pieces that end with one, and `done` is
    looked at after each. A fixed head goes first: upgrades and odd headers of the real one cannot change how this
    parser reads. Trailers are dropped.
    """

    def __init__(self, framing_bytes_max: int) -> None:
        self.done = False
        self._framing_max = framing_bytes_max
        self._framing = 0  # bytes since the last byte of body: chunk extensions, trailers
        self._surplus = 0  # bytes of framing beyond the bytes of body
        self._body: list[bytes] = []
        self._tail = b""
        self._parser = httptools.HttpRequestParser(self)
        self._parser.feed_data(_HEAD)

    def feed(self, data: bytes) -> tuple[bytes, bytes]:
        """The body bytes in `data`, and what stands behind the end of the body.

        Raises BadRequest; HeadersTooLarge where there is more framing than body: a body in chunks of one byte costs a
        call for each.
        """
        begin = 0
        while begin < len(data) and not self.done:
            end = self._piece_end(data, begin)
            self._framing += end - begin
            self._surplus += end - begin
            try:
                self._parser.feed_data(memoryview(data)[begin:end])
            except httptools.HttpParserError as error:
                raise BadRequest(f"The chunked body of this request is not valid HTTP: {error}.") from None
            if self._framing > self._framing_max or self._surplus > self._framing_max:
                raise HeadersTooLarge(
                    "The chunks of this request are too small, or their extensions or trailers too large: most of what"
                    " was sent is framing."
                )
            self._tail = (self._tail + data[begin:end][-3:])[-3:]
            begin = end
        body = b"".join(self._body)
        self._body.clear()
        return body, data[begin:]

    def _piece_end(self, data: bytes, begin: int) -> int:
        """Where the next empty line ends; it may have begun in what came before."""
        seam = (self._tail + data[begin : begin + 3]).find(_END)
        if seam >= 0:
            return begin + seam + len(_END) - len(self._tail)
        found = data.find(_END, begin)
        return len(data) if found < 0 else found + len(_END)

    def on_body(self, data: bytes) -> None:
        self._body.append(data)
        self._framing = 0
        self._surplus -= 2 * len(data)  # counted as framing, and outweighing as much of it

    def on_message_complete(self) -> None:
        self.done = True
