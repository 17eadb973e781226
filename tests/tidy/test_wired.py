"""Every setting, field of the configuration, error code, kind of notice and dependency is read somewhere in src."""

import re
import tomllib
from collections.abc import Iterable
from typing import get_args

import msgspec
import pytest

from tests.tidy.source import ROOT, Source, parse, sources
from tests.tidy.wired import attributes_read, names_used, packages_imported, texts, unread
from tollhouse.core.catalogue import Model, Offer, Plan, Provider
from tollhouse.core.failure import every_failure
from tollhouse.core.notice import NoticeType
from tollhouse.settings import NOT_YET, table

LOADED_BY_NAME = {"psycopg": "postgresql+psycopg"}
IMPORTED_AS = {"argon2-cffi": "argon2", "prometheus-client": "prometheus_client"}


def _outside(*paths: str) -> list[Source]:
    return [file for file in sources("src") if not file.path.endswith(paths)]


def _said(declared: Iterable[str], read: Iterable[str], later: Iterable[str] = ()) -> list[str]:
    return [str(finding) for finding in unread(declared, "declared", set(read), set(later))]


def test_settings() -> None:
    read = attributes_read(_outside("tollhouse/settings.py"))
    own = attributes_read([file for file in sources("src") if file.path.endswith("tollhouse/settings.py")])
    declared = {f"{row.section}.{row.attribute}" for row in table()}
    checked = {"server.counters", "server.workers"}  # one value is accepted, and settings.py itself refuses the others
    assert {name.rpartition(".")[2] for name in checked} <= own
    assert _said(declared - checked, read, NOT_YET) == []
    assert set(NOT_YET) <= declared


@pytest.mark.parametrize(
    ("place", "record"), [("providers", Provider), ("models", Model), ("offers", Offer), ("plans", Plan)]
)
def test_fields_of_the_configuration(place: str, record: type[msgspec.Struct]) -> None:
    read = attributes_read(_outside("services/catalogue_tables.py", "admin/objects.py", "services/platform_file.py"))
    declared = [f"{place}.{field.name}" for field in msgspec.structs.fields(record)]
    assert _said(declared, read) == []


def test_error_codes() -> None:
    read = names_used(_outside("core/failure.py"))
    leaves = [kind for kind in every_failure() if not kind.__subclasses__()]
    assert _said([kind.__name__ for kind in leaves], read) == []


def test_kinds_of_notices() -> None:
    made = texts(_outside("core/notice.py", "services/wording.py"))
    assert [kind for kind in get_args(NoticeType) if kind not in made] == []


def test_dependencies() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"], *(one for group in project["optional-dependencies"].values() for one in group)]
    names = [re.split(r"[\[<>=~!; ]", one, maxsplit=1)[0] for one in wanted]
    by_name = {name for name, text in LOADED_BY_NAME.items() if text in texts(sources("src"))}
    assert _said([IMPORTED_AS.get(name, name) for name in names], packages_imported(sources("src")) | by_name) == []


DECLARED = 'class Server:\n    listen: str = ""\n    regions: str = ""\n'
READS = "def f(server):\n    server.regions = 1\n    return server.listen\n"


def test_the_rule_catches_what_nobody_reads() -> None:
    tree = [parse("src/tollhouse/settings.py", DECLARED), parse("src/tollhouse/app.py", READS)]
    read = attributes_read(tree)
    assert _said(["server.listen"], read) == []
    (said,) = _said(["server.listen", "server.regions"], read)
    assert "`server.regions` is read nowhere" in said
    assert _said(["server.regions"], read, ["server.regions"]) == []
    (early,) = _said(["server.listen"], read, ["server.listen"])
    assert "said to be for later, and is read" in early


@pytest.mark.parametrize(
    ("text", "name", "is_read"),
    [
        ("from tollhouse.core.failure import Gone\n", "Gone", False),
        ("from tollhouse.core.failure import Gone\nraise Gone()\n", "Gone", True),
        ("from tollhouse.core import failure\nraise failure.Gone()\n", "Gone", True),
        ('x = "Gone"\n', "Gone", False),
    ],
)
def test_an_import_alone_uses_nothing(text: str, name: str, is_read: bool) -> None:
    assert bool(_said([name], names_used([parse("src/tollhouse/a.py", text)]))) is not is_read


def test_a_dependency_is_imported_by_its_name() -> None:
    tree = [
        parse(
            "src/tollhouse/a.py",
            "import uvicorn.config\nfrom rich.text import Text\nfrom . import starlette\nimport_module('brotli')\n",
        )
    ]
    assert packages_imported(tree) == {"uvicorn", "rich", "brotli"}
    (said,) = _said(["rich", "starlette"], packages_imported(tree))
    assert "starlette" in said


def test_a_kind_of_notice_that_is_only_declared_is_none() -> None:
    assert "key.leaked" not in texts([parse("src/tollhouse/a.py", 'send("budget.threshold")\n')])
