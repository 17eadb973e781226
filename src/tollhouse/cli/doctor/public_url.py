"""Keys do not travel in the clear over a network."""

import ipaddress

from tollhouse.cli.doctor.context import DiagnosticContext
from tollhouse.cli.doctor.verdict import CheckVerdict, green, red, skipped
from tollhouse.settings import split_address

TITLE = "Public address"


def check(context: DiagnosticContext) -> CheckVerdict:
    url = context.settings.platform.public_url
    if url.startswith("https://"):
        return green(url)
    if url.startswith("http://"):
        return red(f"{url} is not encrypted: keys travel in the clear", "put TLS in front and write https://")
    if url:
        return red(f"{url} is no URL", "write [platform] public_url as https://llm.example")
    try:
        host, _ = split_address(context.settings.server.listen)
    except ValueError as error:
        return skipped(str(error))
    if _is_loopback(host):
        return green("only this machine can connect")
    return red(
        f"the listener at {host} is open to the network, and no public_url says that TLS stands in front",
        "put a TLS proxy in front and set [platform] public_url and [server] trusted_proxies",
    )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
