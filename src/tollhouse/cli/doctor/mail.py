"""Alerts by mail leave: the mail server of [mail] can be reached, speaks SMTP, and takes our user and password."""

import asyncio
from typing import Final

from tollhouse.cli.doctor.context import DiagnosticContext
from tollhouse.cli.doctor.verdict import CheckVerdict, green, red, skipped
from tollhouse.outbound.mail import greet
from tollhouse.outbound.mail_server import read_sender, read_smtp
from tollhouse.services.secret_references import MissingSecret, resolve

TITLE = "Mail"

_SECONDS_MAX: Final = 5
_NAMED_MAX: Final = 5


def check(context: DiagnosticContext) -> CheckVerdict:
    wanted = context.settings.mail
    if not wanted.smtp:
        return _without(context)
    try:
        smtp = resolve(wanted.smtp, context.environment.environment, context.environment.read_file)
        server = read_smtp(smtp)
    except MissingSecret as error:
        return red(f"mail.smtp: {error}", "set it where `tollhouse serve` runs, or mend [mail] smtp")
    except ValueError as error:
        return red(f"mail.smtp cannot be used: {error}", "mend [mail] smtp")
    try:
        if wanted.sender:
            read_sender(wanted.sender)
    except ValueError as error:
        return red(f"mail.from cannot be used: {error}", "mend [mail] from")
    options = f"{server.host} port {server.port}"
    answer = asyncio.run(greet(server, _SECONDS_MAX))
    if answer.ok:
        return green(f"{options} answers{' and takes the password' if server.user is not None else ''}")
    said = answer.words if answer.status is None else f"{answer.status} {answer.words}"
    cure = "see that it runs, speaks SMTP there (smtps:// or ?starttls=1 for TLS) and knows the user of [mail] smtp"
    return red(f"{options}: {said}", cure)


def _without(context: DiagnosticContext) -> CheckVerdict:
    """No mail leaves: whose budgets wait for some?"""
    waiting = [budget.id for budget in context.budgets() if budget.mail is not None]
    if not waiting:
        return skipped("not configured: no alert leaves by mail, neither to accounts nor to their owners")
    some = ", ".join(waiting[:_NAMED_MAX]) + (f" and {len(waiting) - _NAMED_MAX} more" if waiting[_NAMED_MAX:] else "")
    return red(f"no mail server is set, and alerts of {some} are to leave by mail", "set [mail] smtp in platform.toml")
