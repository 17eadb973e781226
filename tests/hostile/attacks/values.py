"""More of G2's kind: bodies whose reading, judging or writing down grows with what stands in them."""

import gzip
import json
import zlib
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from tests.hostile.attacks.bodies import MIB
from tests.hostile.attacks.forms import Form, played
from tests.hostile.harness import Attack, AttackHarness, Observations
from tests.hostile.launcher import AttackedPlatform, TenantAccount, chat
from tests.hostile.wire import at_once, head, opened, post, send, status

START: Final = b'{"model":"house-1","messages":[{"role":"user","content":"hi"}],"max_tokens":5,'
SCHEMA: Final = START + b'"response_format":{"type":"json_schema","json_schema":{"name":"a","schema":{"anyOf":['
TEXT: Final = b'{"model":"house-1","max_tokens":5,"messages":[{"role":"user","content":"'
PARTS: Final = b'{"model":"house-1","max_tokens":5,"messages":[{"role":"user","content":['
TEXT_END: Final = b'"}]}'
PARTS_END: Final = b'{"type":"text","text":"a"}]}]}'
MESSAGE: Final = b'{"role":"user","content":"a"}'
FULL: Final = 31 * MIB
SMALL: Final = 250 * 1024  # below what is read aside


def _filled(begin: bytes, piece: bytes, end: bytes, size: int = FULL) -> bytes:
    return begin + piece * ((size - len(begin) - len(end)) // len(piece)) + end


def _members(size: int) -> bytes:
    count = size // 14
    return START + b",".join(b'"m%07d":10' % number for number in range(count)) + b"}"


def _messages(piece: bytes, size: int = FULL) -> bytes:
    return _filled(b'{"model":"house-1","max_tokens":5,"messages":[', piece + b",", piece + b"]}", size)


BODIES: Final[Mapping[str, Callable[[], bytes]]] = {
    "nesting of 15 million lists": lambda: START + b'"x":' + b"[" * (FULL // 2) + b"]" * (FULL // 2) + b"}",
    "nesting of 5 million objects": lambda: START + b'"x":' + b'{"a":' * (FULL // 6) + b"1" + b"}" * (FULL // 6) + b"}",
    "2 million top-level members": lambda: _members(FULL),
    "a number of 31 million digits": lambda: START + b'"temperature":1' + b"0" * FULL + b"}",
    "a max_tokens of a million digits": lambda: START + b'"n":1' + b"0" * MIB + b"}",
    "a float of 31 million digits": lambda: START + b'"temperature":0.' + b"1" * FULL + b"}",
    "small strings": lambda: _filled(START + b'"stop":[', b'"a",', b'"a"]}'),
    "small numbers": lambda: _filled(START + b'"logit_bias":[', b"1,", b"1]}"),
    "escapes in a text": lambda: _filled(b'{"model":"house-1","messages":"', b"\\u0041", b'"}'),
    "escapes in a member's name": lambda: _filled(START + b'"', b"\\u0041", b'":1}'),
    "surrogates": lambda: _filled(b'{"model":"house-1","messages":"', b"\\ud83d\\ude00", b'"}'),
    "half surrogates": lambda: _filled(b'{"model":"house-1","messages":"', b"\\ud83d", b'"}'),
    "not UTF-8 at its end": lambda: _filled(b'{"model":"house-1","messages":"', b"a", b'\xff"}'),
    "white space": lambda: _filled(START, b" ", b'"x":1}'),
    "nothing but white space": lambda: b" " * FULL,
    "small messages": lambda: _messages(MESSAGE),
    "empty messages": lambda: _messages(b"{}"),
    "numbers as messages": lambda: _messages(b"1"),
    "parts of text": lambda: _filled(PARTS, b'{"type":"text","text":"a"},', PARTS_END),
    "small images": lambda: _filled(PARTS, b'{"type":"image_url","image_url":{"url":"data:,"}},', PARTS_END),
    "tools": lambda: _filled(START + b'"tools":[', b'{"type":"function","function":{"name":"f"}},', b"{}]}"),
    "a schema": lambda: _filled(SCHEMA, b"{},", b"{}]}}}}"),
    "one member a million times": lambda: _filled(START, b'"stream":1,', b'"stream":false}'),
    "many metadata": lambda: START + b'"metadata":{' + b",".join(b'"%d":"v"' % n for n in range(1_500_000)) + b"}}",
    "a long text, honest": lambda: _filled(TEXT, b"a b ", TEXT_END),
    "one word of 31 million letters": lambda: _filled(TEXT, b"a", TEXT_END),
    "a model's name of 30 MB": lambda: _filled(b'{"messages":[],"model":"', b"h", b'"}'),
    "a user of 30 MB": lambda: _filled(START + b'"user":"', b"u", b'"}'),
    "a list instead of an object": lambda: _filled(b"[", b"{},", b"{}]"),
    "256 KB of lists": lambda: _filled(START + b'"x":[', b"[],", b"[]]}", SMALL),
    "256 KB of parts": lambda: _filled(START + b'"x":[', b'{"a":1},', b"1]}", SMALL),
    "256 KB of messages": lambda: _messages(MESSAGE, SMALL),
    "256 KB of members": lambda: _members(SMALL),
    "256 KB of escapes": lambda: _filled(TEXT, b"\\u00e9", TEXT_END, SMALL),
    "256 KB of text": lambda: _filled(TEXT, b"ab ", TEXT_END, SMALL),
}
LISTED: Final[Mapping[str, tuple[str, Callable[[], bytes]]]] = {
    "texts to embed": ("/v1/embeddings", lambda: _filled(b'{"model":"house-1","input":[', b'"a",', b'"a"]}')),
    "token ids to embed": ("/v1/embeddings", lambda: _filled(b'{"model":"house-1","input":[', b"[1],", b"[1]]}")),
    "prompts": ("/v1/completions", lambda: _filled(b'{"model":"house-1","prompt":[', b'"a",', b'"a"]}')),
    "items": ("/v1/responses", lambda: _filled(b'{"model":"house-1","input":[', MESSAGE + b",", b"1]}")),
    "moderations": ("/v1/moderations", lambda: _filled(b'{"model":"house-1","input":[', b'"a",', b'"a"]}')),
    "a 404": ("/v1/nowhere", lambda: b"a" * FULL),
    "control API": ("/api/v1/keys", lambda: _filled(b'{"name":[', b"[],", b"1]}")),
    "diagnose": ("/api/v1/support/diagnose", lambda: _filled(b'{"body":[', b"[],", b"1]}")),
}


def _form(
    platform: AttackedPlatform, a: TenantAccount, make: Callable[[], bytes], path: str = "/v1/chat/completions"
) -> str:
    return str(post(platform, a.key, make(), path, seconds=40))


def _played_by(harness: AttackHarness, seen: Observations, usd: str) -> None:
    platform = harness.platform()
    b = harness.neighbour(platform)
    a = platform.open_wide(platform.account("a", usd))
    forms: list[Form] = [(name, partial(_form, platform, a, make)) for name, make in BODIES.items()]
    forms += [(name, partial(_form, platform, a, make, path)) for name, (path, make) in LISTED.items()]
    played(platform, b, seen, forms)


def values_rich(harness: AttackHarness, seen: Observations) -> None:
    _played_by(harness, seen, "1000")


def values_poor(harness: AttackHarness, seen: Observations) -> None:
    _played_by(harness, seen, "0")


def bombs(harness: AttackHarness, seen: Observations) -> None:
    platform = harness.platform()
    b = harness.neighbour(platform)
    a = platform.open_wide(platform.account("a", "1000"))
    lists = START + b'"x":[' + b"[]," * (10 * MIB) + b"[]]}"
    zeros = zlib.compressobj(wbits=31)
    bomb = b"".join(zeros.compress(b" " * MIB) for _ in range(2000)) + zeros.flush()
    inner = gzip.compress(gzip.compress(b" " * (100 * MIB)))

    def packed(data: bytes, encoding: str) -> int:
        with opened(platform, 40) as connection:
            send(connection, head(a.key, len(data), "/v1/chat/completions", f"content-encoding: {encoding}") + data)
            return status(connection)

    def many(data: bytes, encoding: str, count: int) -> str:
        return str(sorted(set(at_once(count, lambda _: packed(data, encoding)))))

    small = gzip.compress(json.dumps(chat("a" * 200_000)).encode())
    forms: list[Form] = [
        ("2 GB of blanks in gzip", lambda: many(bomb, "gzip", 1)),
        ("the same, 20 at once", lambda: many(bomb, "gzip", 20)),
        ("31 MiB of lists in gzip", lambda: many(gzip.compress(lists), "gzip", 1)),
        ("the same, 10 at once", lambda: many(gzip.compress(lists), "gzip", 10)),
        ("a bomb in a bomb", lambda: many(inner, "gzip, gzip", 1)),
        ("deflate that is cut off", lambda: many(zlib.compress(b" " * MIB)[:-4], "deflate", 1)),
        ("100 small ones at once", lambda: many(small, "gzip", 100)),
    ]
    played(platform, b, seen, forms)


ATTACKS: Final = (
    Attack("VALUES", "no body of 31 MiB or 256 KB stops the loop for 5 ms, sent by who can pay", values_rich),
    Attack("VALUES0", "the same by who has no money", values_poor),
    Attack("BOMBS", "compressed bodies", bombs),
)
