"""The command line as a tree of commands, and how it ends: an answer, or one sentence and an exit code.

Commands are imported when they are called: `tollhouse --version` and shell completion must not wait for a database
driver. What is needed for a command that fails (`ending`) is imported when one has failed.
"""

import gc
import sys
from collections.abc import Sequence
from typing import Final

from cyclopts import App

from tollhouse.cli import output

COMMANDS: Final = (
    ("demo", "tollhouse.cli.demo:demo", "Everything at once: a simulated provider, an account, keys, and the server."),
    ("serve", "tollhouse.cli.serve:serve", "Run the platform."),
    ("init", "tollhouse.cli.init:init", "Write a commented platform.toml and make the database."),
    ("migrate", "tollhouse.cli.migrate:migrate", "Bring the database to this version's schema."),
    ("plan", "tollhouse.cli.platform:plan", "Show what platform.toml would change."),
    ("apply", "tollhouse.cli.platform:apply", "Make the platform what platform.toml says."),
    ("accounts", "tollhouse.cli.accounts:app", "Accounts: who pays."),
    ("projects", "tollhouse.cli.projects:app", "Projects within an account."),
    ("members", "tollhouse.cli.members:app", "Who signs in to the console: invite, change, remove."),
    ("keys", "tollhouse.cli.keys:app", "API keys: make, show, rotate, freeze, revoke."),
    ("credits", "tollhouse.cli.credits:app", "Money that is granted or given back."),
    ("codes", "tollhouse.cli.codes:app", "Redeem codes: money on a slip of text, good once."),
    ("budgets", "tollhouse.cli.budgets:app", "Spending limits by window."),
    ("limits", "tollhouse.cli.limits:app", "How many calls and tokens a minute, how many calls at once."),
    ("ledger", "tollhouse.cli.ledger:app", "The ledger: checked, and read as a bill."),
    ("alerts", "tollhouse.cli.alerts:app", "What people were told, and whether they can be reached."),
    ("providers", "tollhouse.cli.providers:app", "Providers and their health."),
    ("incidents", "tollhouse.cli.system:incidents", "What goes wrong at providers, now and in the last 24 hours."),
    ("status", "tollhouse.cli.status:status", "How models serve, as everybody sees it."),
    ("announcements", "tollhouse.cli.status:app", "What everybody is told of incidents."),
    ("models", "tollhouse.cli.models:app", "Models and what serves them."),
    ("usage", "tollhouse.cli.usage:app", "What was used, grouped, and over time."),
    ("requests", "tollhouse.cli.requests:app", "Calls: receipts, lists, and as they end."),
    ("tickets", "tollhouse.cli.tickets:app", "What customers ask, and what is done about it."),
    ("explain", "tollhouse.cli.explain:explain", "What would happen to a call, without making it."),
    ("audit", "tollhouse.cli.audit:app", "Who changed what."),
    ("system", "tollhouse.cli.system:app", "How the installation stands, and what waits in it."),
    ("doctor", "tollhouse.cli.examine:doctor", "Look for what is wrong with this installation."),
    ("check", "tollhouse.cli.check:check", "Try the checklist against any OpenAI-compatible service."),
    ("bench", "tollhouse.cli.bench:bench", "How quickly any OpenAI-compatible service answers many calls at once."),
)
LOOKS: Final = (20_000, 20, 20)
"""How many new objects Python looks through at once, and how seldom the older ones."""
_COMPLETION: Final = (
    "--install-completion",
    "tollhouse.cli.completion:install",
    "Install shell completion for this application.",
)


def main() -> None:
    """The console script `tollhouse`.

    What is imported stays, and at the end everything goes: to look through it for dead objects took a third of the time
    of a command. Of a server, `tollhouse.collector` says when it is looked through.
    """
    gc.set_threshold(*LOOKS)
    output.prepare()
    code = run(sys.argv[1:])
    gc.freeze()
    sys.exit(code)


def build() -> App:
    app = App(
        name="tollhouse",
        help="The LLM API platform that people host themselves.",
        version=_version,
        version_flags=("--version", "-v", "-V"),
        help_format="plaintext",
    )
    for name, target, words in (*COMMANDS, _COMPLETION):
        app.command(target, name=name, help=words)
    return app


def run(arguments: Sequence[str]) -> int:
    """Run a command; the answer is its exit code: 0 done, 1 failed, 2 misused."""
    try:
        result = build()(
            _asking_for_help(arguments),
            print_error=False,
            exit_on_error=False,
            help_on_error=False,
            result_action="return_value",
        )
        output.flush()
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader of our output has seen enough
        output.give_up()
        return 0
    except Exception as error:  # guard: a defect is raised again
        from tollhouse.cli import ending

        return ending.end(error, arguments)
    return result if isinstance(result, int) else 0


def _asking_for_help(arguments: Sequence[str]) -> Sequence[str]:
    """`help`, `help keys`, `keys help`: as people ask elsewhere."""
    if "help" not in arguments[:2]:
        return arguments
    options = arguments.index("help")
    return [*arguments[:options], *arguments[options + 1 :], "--help"]


def _version() -> str:
    from importlib.metadata import version

    return version("tollhouse")
