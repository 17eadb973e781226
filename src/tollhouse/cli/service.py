"""Speaking to any OpenAI-compatible service over HTTP: one careful request at a time, no redirect, bounded reading."""

import http.client
import re
import socket
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

_ANSWER_BYTES_MAX = 4 * 1024 * 1024
_VERSIONED = re.compile(r"/v[0-9]+(beta[0-9]*)?$|/openai$", re.ASCII)


class BadBaseUrl(ValueError):
    """A base URL cannot be used; the message says what one looks like."""


class Unreachable(Exception):
    """No answer at all; the message says what happened, never a secret."""


class ServiceReply(Struct, frozen=True, kw_only=True):
    url: str
    status: int
    headers: dict[str, str]  # names in lower case
    body: Any  # decoded JSON; None where the answer is none
    is_page: bool = False  # of HTML

    @property
    def message(self) -> str:
        """The service's own words: `error.message` in any of the usual shapes."""
        error = self.body.get("error") if isinstance(self.body, dict) else None
        for words in (error.get("message") if isinstance(error, dict) else error, _member(self.body, "message")):
            if isinstance(words, str) and words:
                return words
        return f"HTTP {self.status}, and no JSON error says why"

    @property
    def code(self) -> str | None:
        error = _member(self.body, "error")
        code = error.get("code") if isinstance(error, dict) else None
        return code if isinstance(code, str) else None

    @property
    def request_id(self) -> str | None:
        return self.headers.get("x-request-id") or self.headers.get("request-id")


class Service(Struct, frozen=True, kw_only=True):
    """A service as its user configures it. `seconds_max` bounds each wait for it."""

    base_urls: tuple[str, ...]  # in the order to try: with the version in the path, then as given
    key: str
    seconds_max: int = 30
    looking_seconds_max: int = 8  # of a GET, which no model has to think about

    def ask(self, method: str, path: str, body: Mapping[str, object] | None = None) -> ServiceReply:
        """Call `path` (such as `/models`), below the first base URL that has it. Raises Unreachable."""
        reply = self._ask(self.base_urls[0] + path, method, body)
        for base_url in self.base_urls[1:]:
            if reply.status == 404 and reply.code != "model_not_found":
                other = self._ask(base_url + path, method, body)
                reply = other if other.status != 404 else reply
        return reply

    def ask_otherwise(self, path: str, body: Mapping[str, object], headers: Mapping[str, str]) -> ServiceReply:
        """POST to a path such as `/v1beta/models/m:generateContent` below the base URL without its version, with the
        headers of another vendor. Raises Unreachable."""
        root = _VERSIONED.sub("", self.base_urls[-1])
        return self._ask(root + path, "POST", body, headers)

    def _ask(
        self, url: str, method: str, body: Mapping[str, object] | None, own: Mapping[str, str] | None = None
    ) -> ServiceReply:
        data = None if body is None else msgspec.json.encode(body)
        headers = {"Accept": "application/json", "User-Agent": "tollhouse-check"}
        headers |= {"Authorization": f"Bearer {self.key}"} if own is None else own
        if data is not None:
            headers["Content-Type"] = "application/json"
        # Only http and https get here: base_urls() refuses all others.
        request = urllib.request.Request(url, data, headers, method=method)  # noqa: S310
        try:
            wait = self.looking_seconds_max if data is None else self.seconds_max
            with urllib.request.build_opener(_NoRedirect()).open(request, timeout=wait) as answer:
                return _reply(url, answer.status, answer.headers, answer.read(_ANSWER_BYTES_MAX))
        except urllib.error.HTTPError as error:
            with error:
                return _reply(url, error.code, error.headers, error.read(_ANSWER_BYTES_MAX))
        except (urllib.error.URLError, OSError, http.client.HTTPException, UnicodeError) as error:
            raise Unreachable(_reason(error)) from error


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect would turn a POST into a GET and carry the key elsewhere: it is an answer to report."""

    def redirect_request(self, *_: object) -> None:
        return None


def base_urls(text: str) -> tuple[str, ...]:
    """What a user means by a base URL: with or without `/v1`, a slash, a whole call's path. Raises InvalidBaseUrl."""
    text = text.strip()
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise BadBaseUrl(f"{text[:200]!r} is no base URL: write it as https://host/v1")
    if parts.username is not None:
        raise BadBaseUrl("a base URL holds no user or password; give the key as --key")
    try:
        _ = parts.port
    except ValueError:
        raise BadBaseUrl(f"{text[:200]!r} names a port that is none") from None
    path = parts.path.rstrip("/")
    for call in ("/chat/completions", "/completions", "/embeddings", "/responses", "/models"):
        path = path.removesuffix(call)
    given = f"{parts.scheme}://{parts.netloc}{path}"
    return (given,) if _VERSIONED.search(path) else (f"{given}/v1", given)


def _reply(url: str, status: int, headers: Any, data: bytes) -> ServiceReply:
    try:
        body = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        body = None
    named = {name.lower(): value for name, value in headers.items()}
    start = data[:200].lstrip().lower()
    is_page = body is None and (b"<html" in start or b"<!doctype" in start or "html" in named.get("content-type", ""))
    return ServiceReply(url=url, status=status, headers=named, body=body, is_page=is_page)


def _member(body: Any, name: str) -> Any:
    return body.get(name) if isinstance(body, dict) else None


def _reason(error: Exception) -> str:
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"the certificate is not accepted: {cause.verify_message}"
    if isinstance(cause, TimeoutError):
        return "no answer in time"
    if isinstance(cause, ssl.SSLError):
        words = (cause.reason or "").replace("_", " ").lower()
        return f"no TLS is spoken there ({words}): write http:// in the base URL, or the port that has TLS"
    if isinstance(cause, http.client.BadStatusLine | http.client.LineTooLong):
        return (
            "what answered does not speak HTTP there: https:// may be missing in the base URL, or the port be another's"
        )
    if isinstance(cause, socket.gaierror):
        return f"the host is not known ({cause.strerror}): it may be mistyped"
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror
    return str(cause) or type(cause).__name__
