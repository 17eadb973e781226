"""No provider refuses what the configuration sends it: its key, the models' names there, the address itself.

Only the running server knows: it is asked over its control socket.
"""

import msgspec

from tollhouse.cli.control import ControlRequest, ServerNotRunning, ask
from tollhouse.cli.doctor.context import DiagnosticContext
from tollhouse.cli.doctor.verdict import CheckVerdict, green, red, skipped
from tollhouse.cli.trouble import CommandFailed

TITLE = "Refusals by providers"

_SECONDS_MAX = 5
_SHOWN_MAX = 8
_CURE = "correct the offer's model, api_keys or base_url of that provider; `tollhouse providers check` tries them"


class _Listed(msgspec.Struct):
    data: list["_Provider"]


class _Provider(msgspec.Struct):
    id: str
    state: dict[str, object]


def check(context: DiagnosticContext) -> CheckVerdict:
    asked = ControlRequest(method="GET", target="/api/v1/providers", content_type="", body=b"")
    try:
        status, body = ask(context.options.socket, asked, _SECONDS_MAX)
    except (ServerNotRunning, CommandFailed):
        return skipped("no server runs that could have seen any")
    if status != 200:
        return skipped(f"the running server did not say (HTTP {status})")
    try:
        listed = msgspec.json.decode(body, type=_Listed)
    except msgspec.DecodeError:
        return skipped("the running server is of another version")
    found = [line for one in listed.data for line in _lines(one)]
    if not found:
        return green("none since the last good answer of each")
    more = f"; and {len(found) - _SHOWN_MAX} more" if len(found) > _SHOWN_MAX else ""
    return red("; ".join(found[:_SHOWN_MAX]) + more, _CURE)


def _lines(provider: _Provider) -> list[str]:
    troubles = provider.state.get("troubles")
    return [
        f"{provider.id}, model {one.get('model')}: {one.get('words')} ({one.get('failures')} calls)"
        for one in (troubles if isinstance(troubles, list) else [])
        if isinstance(one, dict)
    ]
