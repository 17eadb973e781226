"""The cookie of a session.

Over TLS its name begins with `__Host-`, so that no other host of the domain can set it. Over plain HTTP browsers drop
such a cookie: there it has the same name without the prefix, and no `Secure`.
"""

from http.cookies import CookieError, SimpleCookie
from typing import Final

from tollhouse.access.sessions import LIFETIME_MS

_NAME: Final = "tollhouse_session"
_SECURE_NAME: Final = f"__Host-{_NAME}"


def secret_in(header: bytes, *, is_secure: bool) -> str:
    """What the session's cookie holds; empty where there is none."""
    cookies: SimpleCookie = SimpleCookie()
    try:
        cookies.load(header.decode("latin-1"))
    except CookieError:
        return ""
    found = cookies.get(_SECURE_NAME if is_secure else _NAME)
    return "" if found is None else found.value


def begins(secret: str, *, is_secure: bool) -> str:
    return _cookie(secret, LIFETIME_MS // 1_000, is_secure)


def ends(*, is_secure: bool) -> str:
    return _cookie("", 0, is_secure)


def _cookie(value: str, seconds: int, is_secure: bool) -> str:
    name = _SECURE_NAME if is_secure else _NAME
    secure = "; Secure" if is_secure else ""
    return f"{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}"
