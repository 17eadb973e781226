"""A body as an endpoint wants it that takes other members than its format has, or fewer: see `UpstreamTarget`."""

from collections.abc import Mapping
from typing import Final

from msgspec import Raw
from msgspec.json import Decoder, Encoder

from tollhouse.core.model_request import ModelRequest
from tollhouse.core.raw_members import UNREAD
from tollhouse.core.upstream import Buffer, Headers
from tollhouse.providers.kind import RefusedMembers, UpstreamTarget

_OURS: Final = frozenset(("stream_options",))
"""What the caller gets all the same: usage is told to who asked for it, however the provider reports it."""
_members = Decoder(dict[str, Raw]).decode
_objects = Decoder(list[dict[str, Raw]]).decode
_encode = Encoder().encode

Members = dict[str, Raw]


def fitted(
    request: ModelRequest, target: UpstreamTarget, headers: Headers, body: Buffer, rest: list[Buffer]
) -> list[Buffer]:
    """The body in its pieces, as it came where nothing is to be changed. What goes is named in `request.untold`.

    headers: those of the call.
    """
    whole = b"".join((body, *rest))
    wanted = _wanted(target, headers)
    refused = target.refused if target.refused is not None and _may_hold(whole, target.refused) else None
    if not (wanted or refused or target.filled):
        return [body, *rest]
    members = _members(whole)
    if refused is not None:
        request.untold = (*request.untold, *_without(members, refused))
    filled = [place for place, member in target.filled.items() if _fill(members, place, *member)]
    if not (wanted or refused or filled):
        return [body, *rest]
    for name, value in wanted.items():
        members.pop(name, None)
        if value is not None:
            members[name] = Raw(value)
    return [_encode(members)]


def _wanted(target: UpstreamTarget, headers: Headers) -> Mapping[str, bytes | None]:
    """The members that a target wants, with those that list what headers name."""
    listed: dict[str, bytes | None] = {}
    for member, header in target.listed.items():
        values = b",".join(value for name, value in headers if name == header).decode("latin-1").split(",")
        if names := [one.strip() for one in values if one.strip()]:
            listed[member] = _encode(names)
    return {**target.members, **listed}


def _may_hold(whole: bytes, refused: RefusedMembers) -> bool:
    inside = (name for names in refused.inside.values() for name in names)
    names = (*refused.body, *refused.messages, *refused.parts, *inside)
    return any(b'"%b"' % name.encode() in whole for name in names)


def _fill(members: Members, place: str, name: str, value: bytes) -> bool:
    """Give each object of a list the member that it lacks. Whether any lacked it."""
    objects = _read(members.get(place))
    if objects is None or all(name in one for one in objects):
        return False
    members[place] = Raw(_encode([{name: Raw(value), **one} for one in objects]))
    return True


def _without(members: Members, refused: RefusedMembers) -> list[str]:
    """Take out what is refused, and give the names of what goes: of several alike in messages the first."""
    told = dict.fromkeys(_taken(members, refused.body, ""))
    first: dict[str, str] = {}
    for place in ("messages", "system", "tools"):
        objects = _read(members.get(place))
        if objects is None:
            continue
        for at, one in enumerate(objects):
            path = f"{place}[{at}]."
            gone = _of_message(one, refused, path) if place == "messages" else _of_part(one, refused, path)
            for name in gone:
                first.setdefault(name.rpartition(".")[2], name)
        members[place] = Raw(_encode(objects))
    return [*told, *first.values()]


def _of_message(message: Members, refused: RefusedMembers, path: str) -> list[str]:
    gone = _taken(message, refused.messages, path)
    parts = _read(message.get("content")) if refused.parts or refused.inside else None
    if parts is not None:
        for number, part in enumerate(parts):
            gone += _of_part(part, refused, f"{path}content[{number}].")
        message["content"] = Raw(_encode(parts))
    return gone


def _of_part(part: Members, refused: RefusedMembers, path: str) -> list[str]:
    gone = _taken(part, refused.parts, path)
    for name, others in refused.inside.items():
        found = _read(Raw(b"[%b]" % part[name])) if name in part else None
        if found and not found[0].keys().isdisjoint(others):
            (inner,) = found
            gone += _taken(inner, dict.fromkeys(others, ""), f"{path}{name}.")
            part[name] = Raw(_encode(inner))
    return gone


def _taken(members: Members, names: Mapping[str, str], path: str) -> list[str]:
    told = []
    for name, other in names.items():
        raw = members.pop(name, None)
        if raw is None:
            continue
        if other and other not in members:
            members[other] = raw
        elif name not in _OURS and bytes(memoryview(raw)[:4]) != b"null":
            told.append(f"{path}{name}")
    return told


def _read(raw: Raw | None) -> list[Members] | None:
    """A list of objects; None: it is none, and what is wrong with it is the provider's to say."""
    if raw is None:
        return None
    try:
        return _objects(raw)
    except UNREAD:
        return None
