"""Where a platform rule may be broken, and why. A test demands that each entry is still needed.

Keys are spelled as the finding spells them: `path` or `path::name`.
"""

from collections.abc import Mapping

ALLOWED: Mapping[str, Mapping[str, str]] = {
    "long_file": {},
    "long_function": {},
    "hidden_import": {
        "src/tollhouse/cli/command_line.py::tollhouse.cli": "40 ms that only a command that fails pays",
        "src/tollhouse/cli/command_line.py::importlib.metadata": "20 ms that only --version pays",
        "src/tollhouse/cli/control.py::tollhouse.cli": "the database takes 0.4 s to load: not where a server answers",
        "src/tollhouse/cli/demo.py::tollhouse.cli": "the server takes 0.3 s to load: not for the help of `demo`",
        "src/tollhouse/cli/serve.py::tollhouse.cli": "as above, for the help of `serve`",
        "src/tollhouse/cli/init.py::tollhouse.cli": "the database takes 0.3 s to load: not for the help of `init`",
        "src/tollhouse/cli/migrate.py::tollhouse.cli": "as above, for the help of `migrate`",
        "src/tollhouse/cli/examine.py::tollhouse.cli.doctor": "as above, for the help of `doctor`",
        "src/tollhouse/outbound/chat.py::apprise": "an optional extra, and heavy: only who is told in a chat needs it",
        "src/tollhouse/tokens/vocabulary.py::tiktoken": "17 ms and 5 MB that only who counts by a vocabulary pays",
        "src/tollhouse/console/qr_code.py::segno": "53 ms that only who sets up a second factor pays",
        "src/tollhouse/store/migration.py::alembic": "only `migrate` needs it, and loading it takes 0.7 s",
        "src/tollhouse/store/migration.py::alembic.config": "as above: the migration tool loads when it migrates",
        "src/tollhouse/store/migration.py::alembic.script": "as above: the migration tool loads when it migrates",
    },
    "kept_state": {},
    "ambient": {},
    "waits_blindly": {},
}
