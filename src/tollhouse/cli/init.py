"""tollhouse init: a data folder to start from."""

import os
import shlex

from tollhouse.cli.common_options import DEFAULT_OPTIONS, CommonOptions
from tollhouse.cli.lock import FolderLock
from tollhouse.cli.terminal import show
from tollhouse.cli.trouble import CommandFailed
from tollhouse.clock import SystemClock
from tollhouse.store.holder import this_process

_PLATFORM_TOML = """\
# The platform's configuration. Everything is optional; what stands behind a # is the default or an example.
# `tollhouse plan` shows what a change here would do, `tollhouse apply` does it. All settings: docs/settings.md

[server]
# listen = "127.0.0.1:8080"
# database = "sqlite:///tollhouse.db"     # or postgresql://user@host/db
# trusted_proxies = []                    # e.g. ["127.0.0.1/32"] when a TLS proxy stands in front
# master_key = "file:master.key"          # encrypts secrets in the database; `openssl rand -base64 32` makes one

[platform]
# name = "tollhouse"
# public_url = "https://llm.example"

[mail]                                    # how alerts leave by mail; `tollhouse doctor` tries it
# smtp = "env:SMTP"                       # smtp://user:password@host:25, smtps://..., or ...:587?starttls=1
# from = "name <address>"

[support]
# channels = [{ kind = "email", value = "help@llm.example" }]

# Where calls go. Secrets are named, not written: env:NAME or file:PATH (within this folder).
#
# [providers.main]
# kind = "openai"                         # or "anthropic", "gemini", "deepseek", "vllm" ... (docs/providers.md)
# base_url = "https://provider.example/v1"
# api_keys = ["env:MAIN_KEY"]             # several are rotated, each with its own health
# cost = { "gpt-4o-2024-11-20" = { input = "2.00", output = "8.00" } }  # what it takes; `doctor` then sees losses

# For a first look: a provider that answers in this process, and costs nothing.
[providers.simulator]
kind = "simulator"

# What can be called, who serves it, and what it costs (USD per million tokens, as text; docs/prices.md).
# `tollhouse models list --public` shows what makers ask for theirs, to be compared before selling.
[models."example-1"]
offers = [{ provider = "simulator", model = "example-1" }]
context_tokens = 128000
max_output_tokens = 16384
price = { input = "2.50", output = "10.00" }

# What new accounts get.
[plans.default]
# requests_per_minute = 500
# tokens_per_minute = 200000
# parallel_requests = 50
credit_limit_usd = "0"                    # or "unlimited" for a team without prepayment
"""


def init(*, at: CommonOptions = DEFAULT_OPTIONS) -> None:
    """Make the data folder with a commented platform.toml and an empty database. Nothing that stands is changed."""
    from tollhouse.cli import schema

    made = []
    try:
        at.dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        with FolderLock(at.lock):
            try:
                file = os.open(at.platform_file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
                with os.fdopen(file, "w", encoding="utf-8") as text:
                    text.write(_PLATFORM_TOML)
                made.append(str(at.platform_file))
            except FileExistsError:
                pass
            made += schema.migrate(at, this_process("init", SystemClock().now_ms()))
    except OSError as error:
        raise CommandFailed(f"{at.dir} cannot be used: {error.strerror}", code="no_data_folder") from error
    here = "" if at.chosen is None else f" --dir {shlex.quote(str(at.dir))}"
    words = f"{at.dir} is ready. Edit {at.platform_file}, then: tollhouse apply{here}, tollhouse serve{here}"
    show(at, {"object": "init", "dir": str(at.dir), "made": made}, words)
