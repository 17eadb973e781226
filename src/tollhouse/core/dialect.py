"""A dialect: what the callers of one vendor's API read besides the answers of its operations, as data.

A format has one beside its codecs. It is found by walking the formats (`formats.dialects`): an error on a path that is
no call, a list of models and the headers of limits are written by it.
"""

from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct

from tollhouse.core.entry import ModelEntry
from tollhouse.core.failure import Failure
from tollhouse.core.limit_headers import limit_headers
from tollhouse.core.limit_status import WriteLimit
from tollhouse.core.operation import Operation


class Action(Struct, frozen=True):
    """What a path asks of a model. operation None: it is known, and not offered. counts: the tokens of a call of the
    operation are asked for, and no answer: see `core.codec.TokenCountCodec`."""

    operation: Operation | None = None
    stream: bool = False
    counts: bool = False


def usual_framing(query: bytes) -> str:
    return ""


class DialectSpec(Struct, frozen=True, kw_only=True):
    """The `DIALECT` of a format.

    error_status, error_body: of an error; the body takes the request's id. models, model: the bodies of the list of
    models, and of one.
    key_in_query: `?key=` may carry the API key. sent_by: headers that only its SDKs send, by which they are told apart
    on a path that several dialects share. prefixes: paths that begin so are its own. actions: what it asks of a model
    behind a colon (`/v1beta/models/{id}:generateContent`). framing: of a stream, by the query: see `Codec.framings`.
    """

    name: str
    error_status: Callable[[Failure], int]
    error_body: Callable[[Failure, str], bytes]
    models: Callable[[Sequence[ModelEntry]], bytes]
    model: Callable[[ModelEntry], bytes]
    limit_headers: WriteLimit = limit_headers
    key_in_query: bool = False
    sent_by: frozenset[bytes] = frozenset()
    prefixes: tuple[str, ...] = ()
    actions: Mapping[str, Action] = {}
    framing: Callable[[bytes], str] = usual_framing
