"""One browser in which somebody has signed in to the console."""

from msgspec import Struct


class Session(Struct, frozen=True, kw_only=True):
    """The secret is in the browser's cookie; here stands its SHA-256."""

    id: str  # ses_...
    person_id: str
    digest: bytes
    created_at_ms: int
    seen_at_ms: int  # to a few minutes
    address: str  # from which they signed in
    browser: str  # name and system of a known one, as `Firefox, Linux`; else `other`
    before_at_ms: int | None = None  # when this person had signed in last, before
    before_address: str | None = None
    before_browser: str | None = None
    looks_at: str | None = None  # the account whose pages somebody of the platform looks at with it
