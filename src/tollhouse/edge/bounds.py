"""How much one connection may use, and how many there may be. Each bound ends in a refusal or a close."""

from msgspec import Struct

from tollhouse import settings


class HttpLimits(Struct, frozen=True, kw_only=True):
    """Sizes are bytes. A bound of 0 on the body's rate means none; every other bound must be positive."""

    header_bytes_max: int = 65_536  # request line and headers together: 431
    header_count_max: int = 128  # 431
    header_seconds: float = 5  # from the first byte to the end of the headers: 408
    silent_seconds: float = 15  # a new connection that says nothing is closed
    keep_alive_seconds: float = 75  # so is one that has been answered and asks nothing more
    body_bytes_per_second_min: int = 1024  # measured over each window of `body_window_seconds`: 408
    body_window_seconds: float = 10
    stalled_answer_seconds: float = 300  # a client that takes nothing of its answer for so long is cut off
    linger_seconds: float = 5  # after a refusal the rest of the request is read and dropped for so long ...
    linger_bytes_max: int = 64 * 1024 * 1024  # ... and so far, because a reset could overtake the refusal
    held_bytes_max: int = 65_536  # held per direction before the other side has to wait
    connections_max: int = 10_000  # of one listener; fewer where the system allows fewer open files
    connections_per_address_max: int = 5_000


def limits_of(server: settings.ServerSettings) -> HttpLimits:
    """The limits as they are configured; those that no setting has stay as they are."""
    configured = (name for name in HttpLimits.__struct_fields__ if name in settings.ServerSettings.__struct_fields__)
    return HttpLimits(**{name: getattr(server, name) for name in configured})
