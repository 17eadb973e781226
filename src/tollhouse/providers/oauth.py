"""Answers of whoever issues tokens (RFC 6749, 5.1 and 5.2; metadata services answer alike)."""

from typing import Final

import msgspec
from msgspec import Struct

from tollhouse.core.failure import Overloaded, UpstreamError, UpstreamRefusedKey
from tollhouse.providers.api_keys import check_api_key
from tollhouse.providers.credentials import FetchedResponse, Token
from tollhouse.providers.retry_after import retry_after_ms

_USUAL_SECONDS: Final = 3_600  # of a token whose answer does not say how long it holds
_LIFE_SECONDS_MAX: Final = 366 * 86_400
_AGAIN_MS: Final = 1_000
_NONSENSE: Final = "The provider answered the question for a token with something else."


class _TokenAnswer(Struct):
    access_token: str
    expires_in: int | float | str = _USUAL_SECONDS  # metadata services write digits in quotes


_DECODER: Final[msgspec.json.Decoder[_TokenAnswer]] = msgspec.json.Decoder(_TokenAnswer)


def read_token(answer: FetchedResponse, now_ms: int) -> Token:
    """The token of an answer that arrived at `now_ms`.

    Raises UpstreamRefusedKey (400, 401, 403), Overloaded (429, 5xx) or UpstreamError (no token in the answer). What the
    issuer wrote is told to nobody: it may hold the key.
    """
    if answer.status in (400, 401, 403):
        raise UpstreamRefusedKey("The provider refused this platform's credentials.")
    if answer.status == 429 or answer.status >= 500:
        wait_ms = retry_after_ms(answer.headers)
        wait_ms = _AGAIN_MS if wait_ms is None else wait_ms
        raise Overloaded("The provider gives no token at the moment.", retry_after_ms=wait_ms)
    try:
        found = _DECODER.decode(answer.body)
        life_ms = int(min(max(float(found.expires_in), 0.0), _LIFE_SECONDS_MAX) * 1_000)
    except (msgspec.MsgspecError, UnicodeDecodeError, ValueError):
        raise UpstreamError(_NONSENSE) from None
    if answer.status != 200 or check_api_key(found.access_token) is not None:
        raise UpstreamError(_NONSENSE)
    return Token(found.access_token, now_ms + life_ms)
