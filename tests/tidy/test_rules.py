"""The rules themselves: each catches its bad samples and leaves its good ones alone."""

from collections.abc import Callable, Iterator

import pytest

from tests.tidy import behaviour, honesty, shape
from tests.tidy.source import Finding, Rule, parse

PACKAGE = "src/tollhouse/package/__init__.py"
FILE = "src/tollhouse/package/subject.py"
MONEY = "src/tollhouse/billing/charge.py"
KEY = "sk-th-" + "live-" + "A" * 49

BAD: tuple[tuple[Rule, str, str], ...] = (
    (shape.long_file, FILE, "x = 1\n" * 401),
    (shape.long_function, FILE, "def f():\n" + "    g()\n" * 60),
    (shape.long_function, FILE, "class C:\n  async def f():\n" + "    g()\n" * 60),
    (shape.empty_name, "src/tollhouse/utils/names.py", ""),
    (shape.empty_name, "src/tollhouse/package/helpers.py", ""),
    (shape.undocumented_package, PACKAGE, ""),
    (shape.undocumented_package, PACKAGE, '"""Prices live here."""'),
    (shape.undocumented_package, PACKAGE, '"""Lives here: prices. Who calls: the gateway."""'),
    (shape.hidden_import, FILE, "def f():\n    import json\n"),
    (shape.hidden_import, FILE, "class C:\n    def f(self):\n        from json import loads\n"),
    (shape.core_needs_more, FILE, "import starlette.requests\n"),
    (shape.core_needs_more, FILE, "from sqlalchemy import text\n"),
    (behaviour.swallowed, FILE, "try:\n    f()\nexcept:\n    pass\n"),
    (behaviour.swallowed, FILE, "try:\n    f()\nexcept Exception as error:\n    raise\n"),
    (behaviour.swallowed, FILE, "try:\n    f()\nexcept (KeyError, BaseException):\n    pass\n"),
    (behaviour.swallowed, FILE, "try:\n    f()\nexcept Exception:  # guard: why not\n    pass\n"),
    (behaviour.swallowed, FILE, "with contextlib.suppress(Exception):\n    f()\n"),
    (behaviour.kept_state, FILE, "cache = {}\n"),
    (behaviour.kept_state, FILE, "seen: set[str] = set()\n"),
    (behaviour.kept_state, FILE, "names = [n for n in range(3)]\n"),
    (behaviour.kept_state, FILE, "waiting = collections.deque()\n"),
    (behaviour.kept_state, FILE, "lock = threading.Lock()\n"),
    (behaviour.kept_state, FILE, "served = Counter('served', 'requests')\n"),
    (behaviour.kept_state, FILE, "def f():\n    global count\n"),
    (behaviour.ambient, FILE, "import time\nnow = time.time()\n"),
    (behaviour.ambient, FILE, "import time\ndeadline = time.monotonic_ns() + 1\n"),
    (behaviour.ambient, FILE, "from time import monotonic\n"),
    (behaviour.ambient, FILE, "import time\nclock = time.monotonic\n"),
    (behaviour.ambient, FILE, "from datetime import datetime\ntoday = datetime.now(UTC)\n"),
    (behaviour.ambient, FILE, "import datetime\ntoday = datetime.datetime.now(UTC)\n"),
    (behaviour.ambient, FILE, "import os\nos.urandom(8)\n"),
    (behaviour.ambient, FILE, "import random\nrandom.choice(offers)\n"),
    (behaviour.ambient, FILE, "import secrets\nsecrets.token_hex(8)\n"),
    (behaviour.money_as_float, MONEY, "float(price)\n"),
    (behaviour.money_as_float, MONEY, "price * 0.5\n"),
    (behaviour.money_as_float, MONEY, "price / 2\n"),
    (behaviour.money_as_float, "src/tollhouse/store/ledger.py", "total = 0.0\n"),
    (behaviour.money_as_float, "src/tollhouse/core/amount.py", "total /= 3\n"),
    (honesty.not_run, "tests/test_x.py", "@pytest.mark.skip\ndef test_x(): ...\n"),
    (honesty.not_run, "tests/test_x.py", "pytest.importorskip('redis')\n"),
    (honesty.not_run, "tests/test_x.py", "@pytest.mark.xfail(reason='later')\ndef test_x(): ...\n"),
    (honesty.not_run, "tests/test_x.py", "pytestmark = pytest.mark.skipif(True, reason='')\n"),
    (honesty.cannot_fail, "tests/test_x.py", "def test_x():\n    assert True\n"),
    (honesty.cannot_fail, "tests/test_x.py", "def test_x():\n    assert 'done'\n"),
    (honesty.patched, "tests/test_x.py", "monkeypatch.setattr(time, 'time', lambda: 0)\n"),
    (honesty.patched, "tests/test_x.py", "with mock.patch('a.b'):\n    pass\n"),
    (honesty.waits_blindly, "tests/test_x.py", "time.sleep(0.1)\n"),
    (honesty.waits_blindly, "tests/test_x.py", "time.sleep(0)\n"),
    (honesty.waits_blindly, "tests/test_x.py", "async def f():\n    await asyncio.sleep(0.01)\n"),
)

GOOD: tuple[tuple[Rule, str, str], ...] = (
    (shape.long_file, FILE, "x = 1\n" * 400),
    (shape.long_function, FILE, "def f():\n" + "    g()\n" * 59),
    (shape.empty_name, "src/tollhouse/providers/base_url.py", ""),
    (
        shape.undocumented_package,
        PACKAGE,
        '"""Prices.\n\nLives here: rates. Does not live here: rows. Who calls: the gateway."""',
    ),
    (shape.undocumented_package, FILE, ""),
    (shape.hidden_import, FILE, "import json\nif TYPE_CHECKING:\n    import os\n"),
    (shape.core_needs_more, FILE, "import re\nfrom msgspec import Struct\nfrom tollhouse.core.ids import make_id\n"),
    (behaviour.swallowed, FILE, "try:\n    f()\nexcept (KeyError, OSError):\n    pass\n"),
    (behaviour.swallowed, FILE, "try:\n    f()\nexcept Exception:  # guard: one page must not end all\n    pass\n"),
    (behaviour.kept_state, FILE, "NAMES = ('a',)\nKINDS: Mapping[str, int] = {'a': 1}\n__all__ = ['a']\n"),
    (behaviour.kept_state, FILE, "LIMITS: Final = {'a': 1}\ndef f():\n    found = {}\n"),
    (behaviour.ambient, FILE, "started = clock.now_ms()\ndrawn = self.random.bytes(8)\n"),
    (behaviour.ambient, FILE, "from tollhouse.access import secrets\nsecrets.parse(text)\n"),
    (behaviour.ambient, "src/tollhouse/clock.py", "time.time_ns()\n"),
    (behaviour.money_as_float, MONEY, "total // 2 + int(text)\n"),
    (behaviour.money_as_float, FILE, "share = 1 / 3\n"),
    (honesty.not_run, "tests/test_x.py", "@pytest.mark.parametrize('skip', [1])\ndef test_x(skip): ...\n"),
    (honesty.cannot_fail, "tests/test_x.py", "assert found\nassert False, 'never reached'\n"),
    (honesty.patched, "tests/test_x.py", "monkeypatch.setenv('A', 'b')\nclient.patch\n"),
    (honesty.waits_blindly, "tests/test_x.py", "async def f():\n    await asyncio.sleep(0)\n    await done.wait()\n"),
)


def _name(row: tuple[Rule, str, str]) -> str:
    return row[0].__name__


@pytest.mark.parametrize(("rule", "path", "text"), BAD, ids=map(_name, BAD))
def test_a_rule_catches_what_it_forbids(rule: Rule, path: str, text: str) -> None:
    found = list(rule(parse(path, text)))
    assert found
    assert all(finding.where.startswith(path) and finding.line >= 1 and finding.cure for finding in found)


@pytest.mark.parametrize(("rule", "path", "text"), GOOD, ids=map(_name, GOOD))
def test_a_rule_leaves_the_rest_alone(rule: Rule, path: str, text: str) -> None:
    assert [str(finding) for finding in rule(parse(path, text))] == []


TextRule = Callable[[str, str], Iterator[Finding]]


@pytest.mark.parametrize(
    ("rule", "bad", "good"),
    [
        (honesty.unfinished, "# TO" + "DO: later", "# what is to do is in the issue"),
        (honesty.unfinished, "raise NotImplemented" + "Error", "return NotImplemented"),
        (honesty.unfinished, "# FIX" + "ME", "FIXED"),
        (honesty.leaked, f"Authorization: Bearer {KEY}", "Authorization: Bearer sk-th-live-..."),
        (honesty.leaked, f"{KEY[:6]}test-{'b' * 49}", f"{KEY}{'x' * 3}"),
        (honesty.leaked, "-----BEGIN " + "PRIVATE KEY-----", "-----BEGIN CERTIFICATE-----"),
        (honesty.leaked, "see /" + "root/notes", "https://example.com/work/list"),
    ],
)
def test_a_rule_about_text_tells_good_from_bad(rule: TextRule, bad: str, good: str) -> None:
    assert [finding.line for finding in rule("docs/page.md", f"first\n{bad}\n")] == [2]
    assert list(rule("docs/page.md", good)) == []
