"""Writes messages of AWS's event stream, for servers that answer as Bedrock does."""

import json
from base64 import b64encode
from struct import pack
from typing import Any
from zlib import crc32


def message(headers: dict[str, str], payload: bytes) -> bytes:
    heads = b"".join(
        pack(">B", len(name)) + name.encode() + pack(">BH", 7, len(value.encode())) + value.encode()
        for name, value in headers.items()
    )
    return framed(heads, payload)


def framed(heads: bytes, payload: bytes) -> bytes:
    prelude = pack(">II", len(heads) + len(payload) + 16, len(heads))
    message = prelude + pack(">I", crc32(prelude)) + heads + payload
    return message + pack(">I", crc32(message))


def chunk(event: dict[str, Any] | bytes) -> bytes:
    data = event if isinstance(event, bytes) else json.dumps(event).encode()
    headers = {":event-type": "chunk", ":content-type": "application/json", ":message-type": "event"}
    return message(headers, json.dumps({"bytes": b64encode(data).decode(), "p": "abcdefgh"}).encode())


def exception(kind: str, said: dict[str, Any]) -> bytes:
    headers = {":exception-type": kind, ":content-type": "application/json", ":message-type": "exception"}
    return message(headers, json.dumps(said).encode())
