"""The addresses of the listener and of the metrics are free, or this very platform answers there."""

import http.client
import ipaddress
import socket

from tollhouse.cli.doctor.context import DiagnosticContext
from tollhouse.cli.doctor.verdict import CheckVerdict, green, red, skipped
from tollhouse.settings import split_address

TITLE = "Listen address"

_SECONDS = 2


def check(context: DiagnosticContext) -> CheckVerdict:
    running = context.server()
    if running is not None:
        return green(f"{running}")
    server = context.settings.server
    found = _look("listen", server.listen)
    if found.state != "green" or not server.metrics_address:
        return found
    metrics = _look("metrics_address", server.metrics_address)
    return metrics if metrics.state != "green" else green(f"{found.reason}; metrics: {metrics.reason}")


def _look(setting: str, address: str) -> CheckVerdict:
    try:
        host, port = split_address(address)
    except ValueError as error:
        return skipped(str(error))
    if port == 0:
        return green("any free port")
    trouble = can_listen(host, port)
    if trouble is None:
        return green(f"{address} is free")
    if setting == "listen" and _is_tollhouse(host, port):
        return green(f"tollhouse answers at {address}")
    return red(f"{address} cannot be used: {trouble}", f"stop the other program, or choose another [server] {setting}")


def can_listen(host: str, port: int) -> str | None:
    """Why nobody can listen there now; None where one can."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(1)
    except OSError as error:
        return error.strerror or str(error)
    return None


def _is_tollhouse(host: str, port: int) -> bool:
    anywhere = ipaddress.ip_address(host).is_unspecified if host[:1] in "0123456789:" else False
    reached = ("::1" if ":" in host else "127.0.0.1") if anywhere else host
    connection = http.client.HTTPConnection(reached, port, timeout=_SECONDS)
    try:
        connection.request("GET", "/healthz")
        answer = connection.getresponse()
        answer.read(1000)
        return (answer.headers.get("x-request-id") or "").startswith("req_")
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
