"""Sessions of the console: which secret is whose, for how long.

A session ends on the server: with its sign-out, when nobody used it for IDLE_MS, and LIFETIME_MS after the sign-in.
"""

from base64 import urlsafe_b64encode
from collections import defaultdict
from collections.abc import Iterable
from hashlib import sha256
from hmac import compare_digest
from typing import Final

from tollhouse.core.session import Session

SECRET_BYTES: Final = 32
IDLE_MS: Final = 12 * 3_600_000
LIFETIME_MS: Final = 14 * 86_400_000
SEEN_EVERY_MS: Final = 300_000
"""How exactly is kept when a session was used last: each time would be a row written for every page."""
SESSIONS_MAX: Final = 20
"""Of a person. One more ends the one that was used longest ago."""


def secret_of(random: bytes) -> str:
    """The cookie's text. random: SECRET_BYTES."""
    return urlsafe_b64encode(random).rstrip(b"=").decode("ascii")


def digest_of(secret: str) -> bytes:
    return sha256(secret.encode()).digest()


def csrf_token(secret: str) -> str:
    """What a form of this session carries. Who knows it does not know the secret."""
    return sha256(b"csrf:" + secret.encode()).hexdigest()


def is_csrf_token(secret: str, token: str) -> bool:
    return compare_digest(csrf_token(secret).encode(), token.encode())


def is_over(session: Session, now_ms: int) -> bool:
    return now_ms >= session.created_at_ms + LIFETIME_MS or now_ms >= session.seen_at_ms + IDLE_MS


class SessionDirectory:
    """The sessions that stand, in memory: whoever brings an invented cookie costs no question to the database."""

    __slots__ = ("_by_digest", "_by_person")

    def __init__(self, sessions: Iterable[Session] = ()) -> None:
        self._by_digest: dict[bytes, Session] = {}
        self._by_person: defaultdict[str, dict[str, Session]] = defaultdict(dict)
        for session in sessions:
            self.put(session)

    def put(self, session: Session) -> None:
        """Add one, or replace the one with its id."""
        self._by_digest[session.digest] = session
        self._by_person[session.person_id][session.id] = session

    def drop(self, session: Session) -> None:
        self._by_digest.pop(session.digest, None)
        of_person = self._by_person.get(session.person_id)
        if of_person is not None:
            of_person.pop(session.id, None)
            if not of_person:
                del self._by_person[session.person_id]

    def find(self, secret: str, now_ms: int) -> Session | None:
        """The session of a cookie, unless it is over."""
        session = self._by_digest.get(digest_of(secret))
        return None if session is None or is_over(session, now_ms) else session

    def by_id(self, session_id: str) -> Session | None:
        """Also one whose time is over."""
        return next((one for one in self._by_digest.values() if one.id == session_id), None)

    def of_person(self, person_id: str) -> list[Session]:
        """The one used last first."""
        return sorted(self._by_person.get(person_id, {}).values(), key=lambda one: -one.seen_at_ms)
