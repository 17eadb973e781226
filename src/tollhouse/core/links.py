"""Where people read about an error: its code's page, and what was written down of the call."""

from msgspec import Struct


class Links(Struct, frozen=True):
    """`request_log_url`: None where nobody recorded the request."""

    doc_url: str
    request_log_url: str | None = None


def site(public_url: str) -> str:
    """The address that people reach the platform by, as paths are put behind it; empty where none is set."""
    return public_url.rstrip("/").removesuffix("/v1")


def links(code: str, public_url: str, request_id: str) -> Links | None:
    """request_id: empty where nobody recorded the request. Without a public address nobody knows where pages are."""
    if not public_url:
        return None
    base = site(public_url)
    return Links(f"{base}/docs/errors/{code}", f"{base}/console/requests/{request_id}" if request_id else None)
