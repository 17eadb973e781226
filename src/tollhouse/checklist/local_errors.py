"""Step 5: errors that no service wrote: the library or the network failed before an answer came, or what answered is
no API."""

import re
from typing import Final

from tollhouse.checklist.steps import Trouble
from tollhouse.core.phrase import Phrase, translatable

_BASE: Final = translatable("Look at the base URL: host, port, `https` or `http`, and `/v1` at its end.")
_SEEN: Final = tuple(
    (re.compile(pattern, re.IGNORECASE), reason, cure)
    for pattern, reason, cure in (
        (
            r"illegal header value|invalid header value|invalid character in header|must not contain.{0,20}newline",
            translatable("The library refused to send a header: a line break or a blank stands in the key."),
            translatable("Remove it where the key is read, as with `.strip()` in Python, `.trim()` in JavaScript."),
        ),
        (
            r"codec can't encode|cannot convert argument to a bytestring|non iso-8859-1|UnicodeEncodeError",
            translatable("A header holds a letter that is not ASCII, usually in the key."),
            translatable("Copy the key again as plain text: quotes, dashes or blanks of a text program came with it."),
        ),
        (
            r"api_key client option must be set|OPENAI_API_KEY environment variable is missing"
            r"|could not resolve authentication|missing credentials|no api[_ ]key was provided"
            r"|must set the .{0,40}api_key",
            translatable("The library found no API key, and sent nothing."),
            translatable("Set the variable of the key in the place where the program runs, and start it again."),
        ),
        (
            r"certificate_verify_failed|certificate verify failed|self[- ]signed certificate|unable to get local issuer"
            r"|certificate has expired|hostname mismatch|ERR_TLS_CERT",
            translatable("The certificate of the server was not accepted."),
            translatable(
                "Look whether a proxy of your network opens connections, give its certificate to the program"
                " (`SSL_CERT_FILE`, `NODE_EXTRA_CA_CERTS`), and whether the clock is right."
            ),
        ),
        (
            r"wrong_version_number|packet length too long|record layer failure|\bEPROTO\b|http request to an https"
            r"|plain http request was sent",
            translatable("One side speaks TLS and the other does not: `https` and `http` are mixed up."),
            translatable("Change `https` to `http` in the base URL, or the port to the one that has TLS."),
        ),
        (
            r"getaddrinfo|ENOTFOUND|name or service not known|nodename nor servname|could not resolve host"
            r"|name resolution|EAI_AGAIN",
            translatable("The name of the host is not known to the network."),
            translatable(
                "Look for a mistyped host in the base URL, and whether names are resolved where the program runs."
            ),
        ),
        (
            r"ECONNREFUSED|connection refused|actively refused|failed to connect to|couldn't connect to",
            translatable("Nobody listens at this address and port."),
            translatable("Look at host and port of the base URL. In a container, `localhost` is the container itself."),
        ),
        (
            r"proxy.{0,40}(?:error|refused|407|authentication)|tunnel connection failed",
            translatable("A proxy on the way did not let the call pass."),
            translatable("Look at `HTTPS_PROXY` and `NO_PROXY` where the program runs."),
        ),
        (
            r"unsupportedprotocol|missing an 'http|request url is missing|invalid url|only absolute urls",
            translatable("The base URL is none: `https://` is missing, or it is empty."),
            _BASE,
        ),
        (
            r"unexpected keyword argument 'proxies'",
            translatable("The libraries do not fit: an old `openai` was installed beside a new `httpx`."),
            translatable("Update it: `pip install --upgrade openai`."),
        ),
        (
            r"no longer supported in openai>=1|module 'openai' has no attribute|has no attribute 'ChatCompletion'",
            translatable("The code is for `openai` before version 1, and a newer one is installed."),
            translatable(
                "Write `client = OpenAI(base_url=..., api_key=...)` and `client.chat.completions.create(...)`."
            ),
        ),
        (
            r"ECONNRESET|socket hang up|connection reset|server disconnected|remote end closed|incomplete chunked read"
            r"|premature close|terminated",
            translatable("The connection broke off before the answer was whole."),
            translatable("Try again. If it stays, look for a proxy with a short time limit, and use `stream`."),
        ),
        (
            r"timed? ?out|ETIMEDOUT|APITimeoutError|APIConnectionTimeoutError|ReadTimeout|deadline",
            translatable("No answer came within the time that the program waits."),
            translatable("Let the library wait longer (`timeout=600`), or use `stream`, which answers at once."),
        ),
        (
            r"unexpected token '?<|<!doctype|<html|is not valid json|expecting value: line 1 column 1",
            translatable(
                "A page of HTML came instead of JSON: this address is no API, or a proxy or login stands before it."
            ),
            _BASE,
        ),
        (
            r"'str' object has no attribute '(?:choices|model_dump|data)'"
            r"|cannot read propert.{0,60}(?:choices|'0'|undefined)",
            translatable("The answer was not one of a chat call: usually a page of HTML, because `/v1` is missing."),
            _BASE,
        ),
        (
            r"APIConnectionError|connection error|fetch failed|network error|connection failed",
            translatable("The library could not reach the service, and does not say why."),
            translatable(
                "Try `curl -v` with the same base URL and key in the same place: a bad key (a line break in it), a"
                " certificate, a proxy and a mistyped host all look so."
            ),
        ),
    )
)


def local_trouble(text: str) -> Trouble | None:
    """What happened on the caller's side, where the text tells it."""
    return next((Trouble(Phrase(reason), Phrase(cure)) for one, reason, cure in _SEEN if one.search(text)), None)
