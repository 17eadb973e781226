"""Credentials that end: a token that is got with a provider's key, used by every call, and renewed before its end.

At any time at most one renewal of a token runs, and whoever needs it waits for that one:

| the token                      | a call                                                                         |
|--------------------------------|--------------------------------------------------------------------------------|
| is good                        | uses it, without waiting                                                       |
| ends soon (a fifth of its      | uses it; the first such call starts a renewal, for which nobody waits          |
| life, five minutes at most)    |                                                                                |
| has ended, was refused, or     | waits for the renewal                                                          |
| there is none yet              |                                                                                |
| could not be renewed           | fails as the renewal did, without another one, for 1 s, then 2, 4 ... up to 60 |
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

from msgspec import Struct

from tollhouse.core.catalogue import Provider
from tollhouse.core.failure import Failure
from tollhouse.core.upstream import Headers

AHEAD_MS_MAX: Final = 300_000
PAUSE_MS: Final = 1_000
PAUSE_MS_MAX: Final = 60_000
_TRAVEL_MS_MAX: Final = 5_000  # a token that ends sooner may end on its way


class Token(Struct, frozen=True):
    value: str
    expires_at_ms: int  # Unix milliseconds


class Credential(Struct, frozen=True):
    """What one call is signed with. `key`: one of the provider's api_keys, or "". `token`: of a kind with `refresh`,
    what it gave; else ""."""

    key: str
    token: str = ""


class FetchedResponse(Struct, frozen=True):
    status: int
    headers: Headers
    body: bytes


class Fetch(Protocol):
    """One request to whoever issues tokens, by the provider's own proxy and certificates.

    `url`: http or https; a metadata service needs its entry in `allow_networks`.
    Raises UpstreamUnreachable, UpstreamBroke, UpstreamTimeout (30 s in all), and UpstreamError for a URL that cannot be
    used or an answer above 1 MiB.
    """

    async def __call__(self, method: bytes, url: str, headers: Headers, body: bytes) -> FetchedResponse: ...


class Refresh(Protocol):
    """Gets a token for one of the provider's keys ("" where it has none).

    Raises UpstreamRefusedKey where the key is refused, else another Failure; `oauth.read_token` reads usual answers.
    """

    async def __call__(self, key: str, provider: Provider, fetch: Fetch, now_ms: int, /) -> Token: ...


class RefreshingToken:
    """The token of one key. Belongs to one event loop."""

    __slots__ = (
        "_asked_at_ms",
        "_failure",
        "_failures",
        "_pause_until_ms",
        "_refresh",
        "_renew_at_ms",
        "_running",
        "_unusable_at_ms",
        "_value",
    )

    def __init__(self, refresh: Callable[[int], Awaitable[Token]]) -> None:
        self._refresh = refresh
        self._value = ""
        self._asked_at_ms = 0  # when the renewal that gave it began
        self._renew_at_ms = 0
        self._unusable_at_ms = 0
        self._pause_until_ms = 0
        self._failures = 0  # since the last token
        self._failure: Failure | None = None
        self._running: asyncio.Task[Failure | None] | None = None

    async def get(self, now_ms: int) -> str:
        """The token to use now. Raises the Failure of the last renewal where there is none."""
        if now_ms < self._renew_at_ms:
            return self._value
        if self._running is None and now_ms >= self._pause_until_ms:
            self._running = asyncio.create_task(self._renew(now_ms))
        if now_ms < self._unusable_at_ms:
            return self._value
        failure = self._failure
        if self._running is not None:
            failure = await asyncio.shield(self._running)  # a caller who leaves does not end it for the others
        if failure is not None:
            raise failure.with_traceback(None)
        return self._value

    def refused(self, began_ms: int) -> None:
        """The provider refused an attempt that began then: if that used this token, the next call gets another."""
        if self._asked_at_ms <= began_ms:
            self._renew_at_ms = self._unusable_at_ms = 0

    async def _renew(self, now_ms: int) -> Failure | None:
        try:
            token = await self._refresh(now_ms)
        except Failure as failure:
            self._failure = failure
            self._pause_until_ms = now_ms + min(PAUSE_MS << min(self._failures, 16), PAUSE_MS_MAX)
            self._failures += 1
            return failure
        finally:
            self._running = None
        life_ms = max(0, token.expires_at_ms - now_ms)
        self._value, self._asked_at_ms = token.value, now_ms
        self._renew_at_ms = token.expires_at_ms - min(AHEAD_MS_MAX, life_ms // 5)
        self._unusable_at_ms = token.expires_at_ms - min(_TRAVEL_MS_MAX, life_ms // 10)
        self._pause_until_ms = now_ms + PAUSE_MS
        self._failure, self._failures = None, 0
        return None


def tokens_of(
    refresh: Refresh | None, provider: Provider, keys: tuple[str, ...], fetch: Fetch
) -> tuple[RefreshingToken, ...]:
    """A token for each of the keys, one for a provider without any; nothing for a kind whose keys do not end."""
    if refresh is None:
        return ()

    def of(key: str) -> RefreshingToken:
        return RefreshingToken(lambda now_ms: refresh(key, provider, fetch, now_ms))

    return tuple(of(key) for key in keys or ("",))
