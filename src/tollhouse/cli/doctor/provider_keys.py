"""Every provider that needs a key has one, and it can be found."""

from tollhouse.cli.doctor.context import DiagnosticContext
from tollhouse.cli.doctor.verdict import CheckVerdict, green, red, skipped
from tollhouse.core.catalogue import Provider
from tollhouse.services.platform_file import BadApiKey, keys_of
from tollhouse.services.secret_references import MissingSecret

TITLE = "Provider keys"


def check(context: DiagnosticContext) -> CheckVerdict:
    providers = list(context.catalogue().providers.values())
    if not providers:
        return skipped("there is no provider yet")
    troubles = [f"{one.id}: {trouble}" for one in providers if (trouble := _trouble(one, context))]
    server = context.server()
    if troubles and server is not None:
        return skipped(f"{server} has the keys it found at its start; seen from here: {'; '.join(troubles)}")
    if troubles:
        return red("; ".join(troubles), "set what is named in the environment of `tollhouse serve`, or mend api_keys")
    return green(f"{len(providers)} providers have what they need")


def _trouble(provider: Provider, context: DiagnosticContext) -> str | None:
    kind = context.environment.kinds.get(provider.kind)
    try:
        keys = keys_of(provider, context.environment)
    except (MissingSecret, BadApiKey) as error:
        return str(error)
    if not keys and kind is not None and kind.needs_api_key:
        return "it has no key"
    return None
