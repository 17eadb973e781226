"""What `demo` runs: the platform on an embedded database, with a simulated provider, an account and keys."""

import sys
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

from msgspec import structs

from tollhouse.cli import demo_env, seed, serving
from tollhouse.cli.common_options import CommonOptions
from tollhouse.cli.configured import accepted, read_platform
from tollhouse.cli.doctor.listen_address import can_listen
from tollhouse.cli.schema import brought_up_to_date
from tollhouse.cli.terminal import as_json
from tollhouse.cli.trouble import CommandFailed
from tollhouse.core.catalogue import Catalogue
from tollhouse.core.data_folder import DEMO_ENV
from tollhouse.edge.admin.context import config_environment
from tollhouse.services.context import ServiceContext
from tollhouse.services.platform_file import PlatformFile, read
from tollhouse.settings import Settings, split_address

_FOLDER = Path("demo")
_PROVIDER, _STANDBY = "main", "demo-simulator"


def run(at: CommonOptions, port: int | None, config: Path | None) -> None:
    """`config`: a platform.toml on top. Raises Trouble."""
    options = replace(at, chosen=at.chosen or _FOLDER)
    flags = {"listen": None if port is None else f"127.0.0.1:{port}"}
    reading = _merged(options, accepted(read_platform(options, flags, config)))
    try:
        options.dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise CommandFailed(f"{options.dir} cannot be used: {error.strerror}", code="no_data_folder") from error
    path = options.dir / DEMO_ENV
    for step in brought_up_to_date(options, reading.settings.server.database):
        print(f"The database of {options.dir} is older: ran {step}", file=sys.stderr, flush=True)
    values: dict[str, str] = {}

    async def found(services: ServiceContext) -> None:
        values.update(await seed.plant(services, demo_env.read(path)))
        demo_env.write(path, values)

    def ready(base_url: str) -> None:
        if values.get("TOLLHOUSE_BASE_URL") != base_url:
            values["TOLLHOUSE_BASE_URL"] = base_url
            demo_env.write(path, values)
        print(as_json(_facts(values)) if options.json else _welcome(values, path), flush=True)

    serving.run(
        options,
        _with_free_metrics(reading.settings),
        reading.catalogue,
        command="demo",
        create=True,
        on_ready=ready,
        found=found,
    )


def _merged(options: CommonOptions, reading: PlatformFile) -> PlatformFile:
    """The built-in catalogue below what the operator wrote: what he calls by a name is his, also by an alias."""
    text = files("tollhouse.cli").joinpath("demo_catalogue.toml").read_text(encoding="utf-8")
    theirs = reading.catalogue
    if _PROVIDER in theirs.providers:
        # Our models stay with the simulator, whatever the operator means by `main`.
        text = text.replace(f"[providers.{_PROVIDER}]", f"[providers.{_STANDBY}]")
        text = text.replace(f'provider = "{_PROVIDER}"', f'provider = "{_STANDBY}"')
    ours = accepted(read(text.encode(), config_environment(options.dir))).catalogue
    taken = {alias for model in theirs.models.values() for alias in model.aliases} | set(theirs.models)
    models = {
        name: structs.replace(model, aliases=tuple(alias for alias in model.aliases if alias not in taken))
        for name, model in ours.models.items()
        if name not in taken
    }
    catalogue = Catalogue(
        providers={**ours.providers, **theirs.providers},
        models={**models, **theirs.models},
        plans={**ours.plans, **theirs.plans},
    )
    return structs.replace(reading, catalogue=catalogue)


def _with_free_metrics(settings: Settings) -> Settings:
    """Several demos may run at once: the second takes any free port for its figures."""
    if not settings.server.metrics_address:
        return settings
    host, port = split_address(settings.server.metrics_address)
    if port == 0 or can_listen(host, port) is None:
        return settings
    return structs.replace(settings, server=structs.replace(settings.server, metrics_address=f"{host}:0"))


def _facts(values: dict[str, str]) -> dict[str, str]:
    base_url = values["TOLLHOUSE_BASE_URL"]
    facts = {name.removeprefix("TOLLHOUSE_").lower(): values[name] for name in demo_env.NAMES}
    return {**facts, "console_url": f"{base_url}/console/"}


def _welcome(values: dict[str, str], path: Path) -> str:
    base_url = values["TOLLHOUSE_BASE_URL"]
    return f"""tollhouse serves at {base_url} (end it with Ctrl-C)

  Console       {base_url}/console/
  API           {base_url}/v1
  API key       {values["TOLLHOUSE_API_KEY"]}
  Test key      {values["TOLLHOUSE_TEST_KEY"]}
  Admin key     {values["TOLLHOUSE_ADMIN_KEY"]}
  Customer      {values["TOLLHOUSE_EMAIL"]} {values["TOLLHOUSE_PASSWORD"]}
  Operator      {values["TOLLHOUSE_OPERATOR_EMAIL"]} {values["TOLLHOUSE_OPERATOR_PASSWORD"]}

All of it stands in {path}: in a second terminal

  . {path}
  curl {base_url}/v1/chat/completions -H "Authorization: Bearer $TOLLHOUSE_API_KEY" \\
    -H "Content-Type: application/json" \\
    -d '{{"model": "gpt-4o-mini", "messages": [{{"role": "user", "content": "Hello"}}], "stream": true}}'
"""
