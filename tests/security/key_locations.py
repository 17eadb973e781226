"""The six places where a key may stand in a request."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from tests.security.endpoints import EndpointCase
from tollhouse.access.credentials import CARRIERS


class KeyLocation(NamedTuple):
    """`headers` and `query` say how a key is sent from there."""

    name: str
    headers: Callable[[str], Mapping[str, str]]
    query: Callable[[str], str]

    def is_read_by(self, endpoint: EndpointCase) -> bool:
        """URLs are logged on their way, so `?key=` is read only where Google's own clients send it."""
        return self.name != "?key=" or endpoint.is_gemini


def _header(name: str, form: str) -> KeyLocation:
    return KeyLocation(f"{name}: {form}", lambda key: {name: form.replace("KEY", key)}, lambda key: "")


PLACES = (
    _header("authorization", "Bearer KEY"),
    *(_header(carrier.decode("ascii"), "KEY") for carrier in CARRIERS),
    KeyLocation("?key=", lambda key: {}, lambda key: f"?key={key}"),
)
