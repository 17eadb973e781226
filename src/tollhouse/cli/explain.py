"""tollhouse explain: what would happen to a call, or what happened to one, in plain words."""

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from tollhouse.cli.common_options import DEFAULT_OPTIONS, CommonOptions
from tollhouse.cli.control import call
from tollhouse.cli.terminal import as_json, cell_text
from tollhouse.cli.trouble import Misuse


def explain(
    *,
    request: Annotated[str | None, Parameter(name="--request", help="the id of a call that was made")] = None,
    body: Annotated[
        Path | None,
        Parameter(name="--body", allow_leading_hyphen=True, help="a file with the body of a call; - reads it here"),
    ] = None,
    key: Annotated[
        str | None, Parameter(name="--key", help="whose call it would be: a key, by id or unique name")
    ] = None,
    path: Annotated[str | None, Parameter(help="such as /v1/embeddings; default: by what the body holds")] = None,
    header: Annotated[
        tuple[str, ...], Parameter(help="name=value, sent with the call; may be repeated", negative=())
    ] = (),
    at: CommonOptions = DEFAULT_OPTIONS,
) -> None:
    """Who calls, what it may cost, which limit, counter and provider it meets, and the verdict. Nothing is sent or
    held.

    Name either --request, or --body and --key, which needs a server that runs.
    """
    if (request is None) == (body is None) or (body is not None and key is None):
        raise Misuse("name a call that was made with --request, or one that was not with --body and --key")
    given: dict[str, object] = {"request": request, "key": key, "path": path}
    if body is not None:
        given["body"] = _read(body)
        given["headers"] = dict(_header(text) for text in header)
    answer = call(at, "explain", body=given)
    if at.json:
        print(as_json(answer))
        return
    for sentence in answer["sentences"]:
        print(cell_text(sentence))


def _read(file: Path) -> str:
    """The text as it stands: its bytes count."""
    try:
        data = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
        return data.decode()
    except OSError as error:
        raise Misuse(f"{file} cannot be read: {error.strerror}", code="unreadable_file") from error
    except UnicodeDecodeError as error:
        raise Misuse(f"{file} is not UTF-8 text", code="unreadable_file") from error


def _header(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise Misuse(f"--header {text}: write name=value")
    return name, value
