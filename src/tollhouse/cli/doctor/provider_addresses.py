"""Every provider's address has a name that resolves, and leads where the platform may go."""

import socket

from tollhouse.cli.doctor.context import DiagnosticContext
from tollhouse.cli.doctor.verdict import CheckVerdict, green, red, skipped
from tollhouse.upstream.address import forbidden, read_base_url

TITLE = "Provider addresses"


def check(context: DiagnosticContext) -> CheckVerdict:
    kinds = context.environment.kinds
    providers = [
        one
        for one in context.catalogue().providers.values()
        if one.base_url and not (one.kind in kinds and kinds[one.kind].in_process)
    ]
    if not providers:
        return skipped("no provider has an address")
    troubles = []
    for provider in providers:
        trouble = _trouble(provider.base_url, context.settings.outbound.allow_networks, provider.proxy)
        if trouble:
            troubles.append(f"{provider.id}: {trouble}")
    if troubles:
        return red("; ".join(troubles), "mend base_url, the resolver, or [outbound] allow_networks")
    return green(f"{len(providers)} of them resolve and are allowed")


def _trouble(base_url: str, allow_networks: tuple[str, ...], proxy: str | None) -> str | None:
    try:
        route, _ = read_base_url(base_url.removesuffix("#"), allow_networks=allow_networks)
    except ValueError as error:
        return str(error)
    if proxy is not None:
        return None  # the proxy resolves the name
    try:
        found = socket.getaddrinfo(route.host, route.port, type=socket.SOCK_STREAM)
    except OSError as error:
        return f"{route.host} does not resolve ({error.strerror or error})"
    for *_, address in found:
        reason = forbidden(str(address[0]), route)
        if reason is not None:
            return reason
    return None
