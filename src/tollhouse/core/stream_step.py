"""What one event of a stream brings, to the caller and to who must account for it."""

from typing import NamedTuple


class StreamStep(NamedTuple):
    out: bytes = b""  # goes on to the caller
    text: str = ""  # what of it the model wrote
    bears_content: bool = False  # from here on the answer cannot be begun anew elsewhere
    is_end: bool = False  # nothing more follows
    is_plain: bool = False  # a delta of one choice and no more: the next may look alike
    sound: int = 0  # characters of sound, in base64
    pictures: int = 0
    left_out: tuple[bytes, ...] = ()  # of its bytes, what is not in `out`, and stands in others like it
    is_read: bool = True  # else the event is none of its format, and nothing of it is used
