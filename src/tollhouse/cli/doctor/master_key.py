"""Secrets that are kept are kept encrypted, or not in a file that others read."""

import stat

from tollhouse.access.vault import Sealed, Vault
from tollhouse.cli.doctor.context import DiagnosticContext
from tollhouse.cli.doctor.verdict import CheckVerdict, green, red, skipped
from tollhouse.services.budgets import SIGNING
from tollhouse.services.secret_references import MissingSecret, resolve

TITLE = "Master key"

_CHARACTERS_MIN = 16


def check(context: DiagnosticContext) -> CheckVerdict:
    reference = context.settings.server.master_key
    if reference:
        try:
            key = resolve(reference, context.environment.environment, context.environment.read_file)
        except MissingSecret as error:
            return red(str(error), "set it where `tollhouse serve` runs, or mend [server] master_key")
        if len(key) < _CHARACTERS_MIN:
            return red(f"it has fewer than {_CHARACTERS_MIN} characters", "make one with `openssl rand -base64 32`")
        return _opens_all(context, Vault(key))
    if context.signing_secrets(encrypted=True):
        return _opens_all(context, Vault())
    written = [
        provider.id
        for provider in context.reading.catalogue.providers.values()
        if any(not key.startswith(("env:", "file:")) for key in provider.api_keys)
    ]
    webhooks = len(context.signing_secrets(encrypted=False))
    bare = f"the signing secrets of {webhooks} webhooks stand in the database as they are: see Secret files"
    if not written:
        return green(f"none: {bare}") if webhooks else skipped("not needed: no secret is kept")
    mode = stat.S_IMODE(context.options.platform_file.stat().st_mode)
    if mode & 0o077:
        names = ", ".join(written)
        cure = f"write them as env:NAME or file:PATH, or chmod 600 {context.options.platform_file}"
        return red(f"platform.toml holds keys of {names} and others may read it (mode {mode:04o})", cure)
    told = "none, and the keys in platform.toml are readable by their owner alone"
    return green(f"{told}; {bare}" if webhooks else told)


def _opens_all(context: DiagnosticContext, vault: Vault) -> CheckVerdict:
    """What was encrypted once can be read with the key there is."""
    kept = context.signing_secrets(encrypted=True)
    for secret in kept:
        try:
            vault.open(secret, SIGNING)
        except Sealed as error:
            cure = "bring the former key back in [server] master_key, or set these webhooks anew with `budgets set`"
            return red(f"the signing secret of a webhook cannot be read: {error}", cure)
    return green(f"set, and it opens the {len(kept)} secrets that are kept" if kept else "set")
