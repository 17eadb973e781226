"""The one table of settings: section, name, type, default, help, and the environment variable that overrides it.

The five sections are records whose fields are the rows; `table()` lists them, the docs and the CLI are drawn from it.
Precedence: command line flags > `TOLLHOUSE_*` (section [server] only) > platform.toml > default.
Sizes are bytes, durations seconds; addresses are `host:port`, port 0 meaning any free one.
"""

import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta, Struct, field

from tollhouse.core.spelling import meant, nearest

_MIB = 1024 * 1024
_NO_METRICS = "none"

Seconds = Annotated[float, Meta(ge=0, le=86_400 * 7)]
Bytes = Annotated[int, Meta(ge=1024, le=2**40)]
Count = Annotated[int, Meta(ge=1, le=2**31)]


def _help(text: str) -> Meta:
    return Meta(description=text)


class ServerSettings(Struct, frozen=True, kw_only=True):
    """How the process listens, stores and stops."""

    listen: Annotated[str, _help("address of the one listener that serves everything")] = "127.0.0.1:8080"
    metrics_address: Annotated[str, _help("address of the Prometheus listener; `none`, or empty in the file: none")] = (
        "127.0.0.1:9464"
    )
    workers: Annotated[Count, _help("processes; this version runs one, and refuses more")] = 1
    database: Annotated[
        str, _help("`sqlite:///` and a path within the data folder, or `postgresql://user@host/db`")
    ] = "sqlite:///tollhouse.db"
    counters: Annotated[str, _help("where limits count: `memory:`, of the one process; anything else is refused")] = (
        "memory:"
    )
    master_key: Annotated[
        str,
        _help(
            "`env:NAME` or `file:PATH` of the key that encrypts stored secrets, or the key itself, which is what its"
            " environment variable may hold; empty: they stand as they are"
        ),
    ] = ""
    max_body_bytes: Annotated[Bytes, _help("largest JSON request body; beyond it 413")] = 32 * _MIB
    bodies_bytes_max: Annotated[
        Bytes, _help("JSON request bodies above 64 KiB in memory at once, in all; an account gets at most half of it")
    ] = 128 * _MIB
    answers_bytes_max: Annotated[
        Bytes, _help("answers above 256 KiB that are sent on whole, in memory at once; an account gets at most half")
    ] = 192 * _MIB
    max_upload_bytes: Annotated[Bytes, _help("largest form, spooled to disk; beyond it 413")] = 256 * _MIB
    uploads_bytes_max: Annotated[Bytes, _help("forms on disk, in all; an account gets at most half")] = 1024 * _MIB
    max_answer_bytes: Annotated[Bytes, _help("largest answer read whole from a provider; beyond it 502")] = 64 * _MIB
    header_seconds: Annotated[Seconds, _help("time from a request's first byte to the end of its headers")] = 5
    header_bytes_max: Annotated[Bytes, _help("request line and headers together; beyond it 431")] = 65_536
    body_bytes_per_second_min: Annotated[
        Annotated[int, Meta(ge=0, le=2**31)], _help("a request body slower than this is cut off with 408; 0: never")
    ] = 1024
    connections_max: Annotated[
        Count, _help("client connections at once; beyond it idle ones are closed, then new ones get 503")
    ] = 10_000
    connections_per_address_max: Annotated[
        Count, _help("of one client address (IPv6: one /64) that is no trusted proxy; beyond it 429")
    ] = 5_000
    keep_alive_seconds: Annotated[Seconds, _help("how long an idle client connection is kept")] = 75
    drain_seconds_max: Annotated[
        Count, _help("how long a buffered call whose client left is read on, to learn its usage")
    ] = 600
    lame_duck_seconds: Annotated[Seconds, _help("after SIGTERM the listener stays open and answers 503 this long")] = 5
    drain_seconds: Annotated[Seconds, _help("after that, running answers get this long")] = 60
    trusted_proxies: Annotated[
        tuple[str, ...], _help("networks (CIDR) whose word on who calls, and by which scheme, is believed")
    ] = ()
    forwarded_header: Annotated[
        Annotated[str, Meta(pattern=r"^[A-Za-z0-9-]{0,64}$")],
        _help(
            "the header in which those proxies write the caller: `X-Forwarded-For`, `Forwarded`, `X-Real-IP`, ...; "
            "empty: the first of these, else the second"
        ),
    ] = ""
    requests_per_minute_per_address: Annotated[
        Annotated[int, Meta(ge=0, le=2**31)],
        _help("calls, whatever key they bring, from one client address (IPv6: one /64); beyond it 429; 0: no limit"),
    ] = 0
    log: Annotated[str, _help("`stderr`, or a path within the data folder")] = "stderr"
    request_retention_days: Annotated[Count, _help("how long a row per request is kept; ledger and audit stay")] = 90


class OutboundSettings(Struct, frozen=True, kw_only=True):
    """Which addresses that are not public the platform may connect to. Providers on this machine and in private
    networks need no entry; webhooks and chats there do."""

    allow_networks: Annotated[
        tuple[str, ...],
        _help("networks (CIDR) also allowed, for webhooks too; link-local and cloud metadata need their own entry"),
    ] = ()


class PlatformSettings(Struct, frozen=True, kw_only=True):
    """What the platform calls itself and whom it lets in."""

    name: Annotated[str, _help("shown on pages and in mails")] = "tollhouse"
    public_url: Annotated[str, _help("the address people reach it by, such as `https://llm.example`")] = ""
    regions: Annotated[tuple[str, ...], _help("where it runs, for people to read")] = ()
    languages: Annotated[
        tuple[Literal["en", "zh-CN"], ...], _help("languages of pages and mails, the first is the default")
    ] = ("en", "zh-CN")
    currency: Annotated[str, _help("currency in which pages also show amounts; accounts are kept in USD")] = "USD"
    show_provider: Annotated[bool, _help("name the provider and the attempts in answer headers")] = False
    cut_at_hold: Annotated[
        Literal["prepaid", "always", "never"],
        _help(
            "whose answers end where their output passes what was held for it by more than half; "
            "`prepaid`: those of accounts whose credit limit is not unlimited"
        ),
    ] = "prepaid"
    sign_up: Annotated[Literal["closed", "invite", "open"], _help("who may open an account by himself")] = "closed"


class ChatSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One way to reach the people who run the platform: `kind` such as email, qq_group, wechat, telegram, slack,
    discord, url, phone. `note`: how to join, for people to read."""

    kind: str
    value: str
    note: str = ""


class SupportSettings(Struct, frozen=True, kw_only=True):
    """Whom users turn to."""

    channels: Annotated[
        tuple[ChatSettings, ...], _help("list of `{kind, value, note}`; kind is email, qq_group, url, or any word")
    ] = ()
    hours: Annotated[str, _help("when somebody answers, for people to read")] = ""
    zone: Annotated[str, _help("the time zone of these hours, for people to read, such as Asia/Shanghai")] = ""
    ticket_retention_days: Annotated[
        Count, _help("how long a closed ticket is kept with its thread, from the last that was written or done in it")
    ] = 365

    @property
    def contact(self) -> str:
        """The first channel, for sentences; empty: there is none."""
        return self.channels[0].value if self.channels else ""

    @property
    def mails(self) -> tuple[str, ...]:
        """Mail addresses among the channels."""
        return tuple(one.value for one in self.channels if one.kind == "email")


class MailSettings(Struct, frozen=True, kw_only=True):
    """How mail leaves. Without a server none does."""

    smtp: Annotated[
        str,
        _help("`smtp://user:pass@host:25`, `smtps://...`; STARTTLS by `?starttls=1`; or `env:NAME`, `file:PATH` of it"),
    ] = ""
    sender: Annotated[str, _help("`name <address>`; empty: the platform's name and `tollhouse@localhost`")] = field(
        default="", name="from"
    )


class Settings(Struct, frozen=True, kw_only=True):
    server: ServerSettings = ServerSettings()
    outbound: OutboundSettings = OutboundSettings()
    platform: PlatformSettings = PlatformSettings()
    support: SupportSettings = SupportSettings()
    mail: MailSettings = MailSettings()


Value = object
Sections = Mapping[str, Mapping[str, Value]]


class Setting(Struct, frozen=True, kw_only=True):
    """One row of the table."""

    section: str
    name: str  # as written in platform.toml
    attribute: str  # as read in code: `settings.<section>.<attribute>`
    type: Any  # what msgspec converts to
    default: Value
    help: str
    env: str | None


class Mistake(Struct, frozen=True, kw_only=True):
    """Something wrong in what an operator wrote. `where` is `table.key`, an environment variable, or a flag."""

    where: str
    message: str
    line: int | None = None

    def __str__(self) -> str:
        at = f" (line {self.line})" if self.line else ""
        return f"{self.where}{at}: {self.message}"


def table() -> Iterator[Setting]:
    """Every setting, in the order in which the documentation shows them."""
    for section in msgspec.structs.fields(Settings):
        hints = get_type_hints(section.type, include_extras=True)
        for row in msgspec.structs.fields(section.type):
            name = row.encode_name
            yield Setting(
                section=section.name,
                name=name,
                attribute=row.name,
                type=hints[row.name],
                default=row.default,
                help=_description(hints[row.name]),
                env=f"TOLLHOUSE_{name.upper()}" if section.name == "server" else None,
            )


NOT_YET: Mapping[str, str] = {
    "platform.regions": "no page shows them yet",
    "platform.currency": "pages show USD yet",
}
"""Settings that are accepted for what is to come, and change nothing: `plan` and `doctor` say so. A test compares this
with what is read."""

SECTIONS: tuple[str, ...] = tuple(section.name for section in msgspec.structs.fields(Settings))


def build(
    sections: Sections, environment: Mapping[str, str], flags: Mapping[str, str | int | None]
) -> tuple[Settings, list[Mistake]]:
    """Merge the sources into settings; every mistake is named, and the default stands in its place.

    sections: the tables of platform.toml. flags: names of [server] settings, None where not given.
    """
    rows = list(table())
    mistakes = [mistake for section in SECTIONS for mistake in _unknown(section, sections.get(section, {}), rows)]
    chosen: dict[str, dict[str, Value]] = {section: {} for section in SECTIONS}
    written: dict[str, str] = {}  # by `section.name`: where the value in use was written
    for row in rows:
        where, given, is_text = _source(row, sections, environment, flags)
        if where is None:
            continue
        try:
            chosen[row.section][row.attribute] = _convert(given, row.type, is_text)
            written[f"{row.section}.{row.name}"] = where
        except msgspec.ValidationError as error:
            mistakes.append(Mistake(where=where, message=explain(error, row.type)))
    if chosen["server"].get("metrics_address") == _NO_METRICS:
        chosen["server"]["metrics_address"] = ""
    parts = {section.name: section.type(**chosen[section.name]) for section in msgspec.structs.fields(Settings)}
    settings = Settings(**parts)
    for mistake in (*_together(settings.server), *_networks(settings)):
        mistakes.append(msgspec.structs.replace(mistake, where=written.get(mistake.where, mistake.where)))
    return settings, mistakes


def split_address(text: str) -> tuple[str, int]:
    """`host:port` or `[v6]:port` as a pair. Raises ValueError that says what an address looks like."""
    host, colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not (colon and host and port.isascii() and port.isdigit() and int(port) < 65_536):
        raise ValueError(f"{text!r} is not an address: write host:port, such as 127.0.0.1:8080")
    return host, int(port)


def render_docs() -> str:
    """The text of docs/settings.md."""
    lines = [
        "# Settings",
        "",
        "Written by `make docs` from `src/tollhouse/settings.py`; do not edit by hand.",
        "Precedence: command line flags > environment > platform.toml > default. An empty variable is as not set.",
    ]
    for section in msgspec.structs.fields(Settings):
        doc = (section.type.__doc__ or "").strip()
        lines += ["", f"## [{section.name}]", "", doc, "", "| name | type | default | environment | what it is |"]
        lines.append("|---|---|---|---|---|")
        for row in table():
            if row.section == section.name:
                env = f"`{row.env}`" if row.env else ""
                shown = msgspec.json.encode(row.default).decode()
                later = (
                    f"; no effect yet: {NOT_YET[place]}" if (place := f"{section.name}.{row.name}") in NOT_YET else ""
                )
                lines.append(f"| `{row.name}` | {type_name(row.type)} | `{shown}` | {env} | {row.help}{later} |")
    return "\n".join(lines) + "\n"


def type_name(kind: Any) -> str:
    """A setting's type in words."""
    inner = get_args(kind)[0] if hasattr(kind, "__metadata__") else kind
    if inner is not kind and hasattr(inner, "__metadata__"):
        return type_name(inner)
    if get_origin(inner) is Literal:
        return " or ".join(f"`{choice}`" for choice in get_args(inner))
    if get_origin(inner) is tuple:
        return "list"
    return {str: "text", int: "integer", float: "number", bool: "true or false"}[inner]


def explain(error: msgspec.ValidationError, kind: Any) -> str:
    """msgspec's words for a wrong value, in an operator's terms."""
    text = str(error)
    if text.startswith("Invalid enum value"):
        near = meant(text.split("'")[1], known := _choices(kind))
        return f"{text}; it is one of {', '.join(known)}{f'; did you mean {near}?' if near else ''}"
    if "matching regex" in text:
        return "expected the name of a header"
    text = text.replace(" | null`", "`")
    words = {"`str`": "text", "`int`": "a whole number", "`float`": "a number", "`bool`": "true or false"}
    for theirs, ours in {**words, "`array`": "a list", "`object`": "a table", "Expected": "expected"}.items():
        text = text.replace(theirs, ours)
    return text.replace("expected a list, got text", 'expected a list, such as ["..."], got text')


def _choices(kind: Any) -> list[str]:
    """The words a type allows, also where they stand inside a list or a record's annotation."""
    if get_origin(kind) is Literal:
        return [str(choice) for choice in get_args(kind)]
    return [choice for part in get_args(kind) for choice in _choices(part)]


def _description(kind: Any) -> str:
    notes = [note.description for note in getattr(kind, "__metadata__", ()) if isinstance(note, Meta)]
    return next(note for note in notes if note)


def _source(
    row: Setting, sections: Sections, environment: Mapping[str, str], flags: Mapping[str, str | int | None]
) -> tuple[str | None, Value, bool]:
    """Where a setting's value comes from, the value, and whether it is text to be read as the setting's type."""
    if row.section == "server" and (flag := flags.get(row.name)) is not None:
        return f"--{row.name.replace('_', '-')}", flag, True
    text = environment.get(row.env, "").strip() if row.env else ""
    if row.env and text:  # an empty one is not set: compose files make it so of a variable that they do not find
        return row.env, text, True
    if row.name in sections.get(row.section, {}):
        return f"{row.section}.{row.name}", sections[row.section][row.name], False
    return None, None, False


def _convert(given: Value, kind: Any, is_text: bool) -> Value:
    if is_text and isinstance(given, str) and type_name(kind) == "list":
        given = [part.strip() for part in given.split(",") if part.strip()]
    return msgspec.convert(given, kind, strict=not is_text)


def _unknown(section: str, given: Mapping[str, Value], rows: Sequence[Setting]) -> Iterator[Mistake]:
    known = [row.name for row in rows if row.section == section]
    for name in given:
        if name not in known:
            elsewhere = section_of(name)
            message = (
                f"it belongs below [{elsewhere}]"
                if elsewhere
                else f"unknown key; the nearest known one is {nearest(name, known)}"
            )
            yield Mistake(where=f"{section}.{name}", message=message)


def section_of(name: str) -> str | None:
    """The section that has a setting of this name; None where there is none, or several."""
    found = [row.section for row in table() if row.name == name]
    return found[0] if len(found) == 1 else None


def _together(server: ServerSettings) -> Iterator[Mistake]:
    """What only several settings together, or a closer look at one, can show."""
    for name, value in (("listen", server.listen), ("metrics_address", server.metrics_address)):
        if value or name == "listen":
            try:
                split_address(value)
            except ValueError as error:
                yield Mistake(where=f"server.{name}", message=str(error))
    if not server.database.startswith(("sqlite:///", "postgresql://")):
        yield Mistake(where="server.database", message="write sqlite:///PATH or postgresql://user@host/db")
    if server.counters.startswith(("redis://", "rediss://")):
        yield Mistake(where="server.counters", message="this version keeps its counters in memory only: write memory:")
    elif server.counters != "memory:":
        yield Mistake(where="server.counters", message="write memory:")
    if server.workers > 1:
        message = "this version runs one process, and a database admits one: leave it at 1"
        yield Mistake(where="server.workers", message=message)


def _networks(settings: Settings) -> Iterator[Mistake]:
    for where, networks in (
        ("server.trusted_proxies", settings.server.trusted_proxies),
        ("outbound.allow_networks", settings.outbound.allow_networks),
    ):
        for network in networks:
            try:
                ipaddress.ip_network(network)
            except ValueError as error:
                yield Mistake(where=where, message=f"{error}; write a network as 10.0.0.0/8 or one address as ::1/128")
