"""What the headers of a request say of its body: JSON, and how it is compressed."""

from tollhouse.core.content_encoding import ENCODINGS
from tollhouse.core.escaping import SHOWN_MAX, printable
from tollhouse.core.failure import BadRequest, EncodingUnknown
from tollhouse.core.upstream import Headers


def encoding_of_json(headers: Headers) -> str:
    """How a body of JSON is compressed; empty: it is not. Raises BadRequest for another type, EncodingUnknown."""
    kind, encoding = None, b""
    for name, value in headers:
        if name == b"content-type":
            kind = value if kind is None else kind
        elif name == b"content-encoding":
            encoding = encoding + b"," + value if encoding else value
    if kind is None:
        raise BadRequest("this request has no Content-Type; send Content-Type: application/json", param="content-type")
    if kind != b"application/json" and not _is_json(kind):
        said = printable(kind.decode("latin-1"), SHOWN_MAX)
        raise BadRequest(f"Content-Type must be application/json, and this request says {said}", param="content-type")
    return _known(encoding) if encoding else ""


def _known(header: bytes) -> str:
    """A Content-Encoding by its name in ENCODINGS; empty: `identity`. Raises EncodingUnknown, also for several."""
    named = header.decode("latin-1").strip().lower()
    if named in ("", "identity"):
        return ""
    if named not in ENCODINGS:
        raise EncodingUnknown(
            f"Content-Encoding of a request may be one of {', '.join(sorted(ENCODINGS))}, and this one says"
            f" {printable(named, SHOWN_MAX)}: send the body as it is, without that header.",
            param="content-encoding",
        )
    return named


def _is_json(value: bytes) -> bool:
    kind = value.partition(b";")[0].strip().lower()
    return kind == b"application/json" or (kind.startswith(b"application/") and kind.endswith(b"+json"))
