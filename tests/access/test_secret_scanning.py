"""The rules for secret scanners, as docs/secret-scanning.md prints them: each of 200 keys is found, and no text of this
code base is taken for one."""

import random
import re
import subprocess
from pathlib import Path
from typing import Final

import pytest

from tollhouse.access.secrets import PREFIXES, mint, parse

ROOT: Final = Path(__file__).resolve().parents[2]
PAGE: Final = (ROOT / "docs/secret-scanning.md").read_text(encoding="utf-8")
RULES: Final = sorted(
    {*re.findall(r"^regex = '''(.+)'''$", PAGE, re.M), *re.findall(r're\.compile\(r"(.+)", re\.ASCII\)', PAGE)}
)
AROUND: Final = (
    "%s",
    '{"api_key": "%s"}',
    "Authorization: Bearer %s\r\n",
    "export OPENAI_API_KEY=%s",
    "client = OpenAI(api_key='%s')",
    "https://host.example/v1beta/models?key=%s&alt=sse",
    "key:%s,",
    "`%s`",
    "curl -H 'x-api-key: %s' \\",
    "密钥%s。",
)


def keys() -> list[str]:
    chance = random.Random(200)
    return [mint(mode, chance.randbytes(32)) for mode in list(PREFIXES) * 67][:200]


def test_page_has_one_rule() -> None:
    assert len(RULES) == 1


@pytest.mark.parametrize("rule", RULES)
def test_each_of_200_keys_is_found_wherever_it_stands(rule: str) -> None:
    pattern, missed = re.compile(rule, re.ASCII), []
    for number, key in enumerate(keys()):
        text = AROUND[number % len(AROUND)] % key
        if [one[0] for one in pattern.finditer(text)] != [key]:
            missed.append(text.replace(key, "KEY"))
    assert missed == []


@pytest.mark.parametrize("rule", RULES)
def test_no_text_of_the_code_base_is_taken_for_a_key(rule: str) -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    pattern = re.compile(rule, re.ASCII)
    found = [
        name
        for name in listed.stdout.splitlines()
        if (ROOT / name).is_file() and pattern.search((ROOT / name).read_bytes().decode("utf-8", "replace"))
    ]
    assert found == []


def test_checksum_tells_a_key_from_what_only_looks_like_one() -> None:
    chance = random.Random(7)
    alike = ["sk-" + "th-live-" + "".join(chance.choices("0123456789ABCDEFxyz", k=49)) for _ in range(200)]
    assert not [text for text in alike if parse(text) == "ours"]
    assert all(parse(key) == "ours" for key in keys())
