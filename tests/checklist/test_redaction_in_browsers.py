"""The box of `/support` takes out what the server would: the same expressions, run by JavaScript."""

import json
import subprocess
from pathlib import Path

import msgspec
import pytest

from tests.access.test_redaction import CORPUS, PASSWORDS, ordinary
from tests.tidy.source import ROOT
from tollhouse.access.redaction import SHAPES, TEXT_MAX, redact

MODULE = ROOT / "src/tollhouse/console/static/redaction.js"
RUN = """
import { readFileSync } from "node:fs";
import { reader, redact } from "%s";
const { shapes, texts, most } = JSON.parse(readFileSync(process.argv[2], "utf8"));
const expressions = reader(JSON.parse(shapes));
console.log(JSON.stringify(texts.map((text) => redact(expressions, text, most))));
"""


def in_javascript(folder: Path, texts: list[str]) -> list[tuple[str, int]]:
    (folder / "module.mjs").write_bytes(MODULE.read_bytes())
    (folder / "run.mjs").write_text(RUN % "./module.mjs", encoding="utf-8")
    given = {"shapes": msgspec.json.encode(SHAPES).decode(), "texts": texts, "most": TEXT_MAX}
    (folder / "given.json").write_text(json.dumps(given), encoding="utf-8")
    ran = subprocess.run(
        ["node", "run.mjs", "given.json"], cwd=folder, capture_output=True, text=True, encoding="utf-8", timeout=120
    )
    assert ran.returncode == 0, ran.stderr
    return [(one["text"], one["found"]) for one in json.loads(ran.stdout)]


@pytest.mark.long
def test_javascript_takes_out_what_python_does(tmp_path: Path) -> None:
    texts = [text for _, text in CORPUS]
    texts += [
        *PASSWORDS,
        "\n".join(PASSWORDS),
        "",
        "\U0001f511 password: Tr0ub4dor3x \u5bc6\u94a5",
        *list(ordinary())[::50],
    ]
    texts.append("\U0001f511" * (TEXT_MAX + 5))
    assert len(texts) > 2_000
    found = in_javascript(tmp_path, texts)
    wrong = [
        (text[:200], ours, theirs)
        for text, theirs in zip(texts, found, strict=True)
        if (ours := redact(text)) != theirs
    ]
    assert wrong == []
    for (secret, _), (told, _) in zip(CORPUS, found, strict=False):
        assert secret not in told
