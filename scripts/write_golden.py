"""Write the expected files of the golden cases anew (`tests/translation/golden_case.py`), all of them or those whose
path has a word: `python scripts/write_golden.py openai_chat--anthropic_messages/tools`. Read what changed."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.translation.golden_case import EXPECTED, GoldenCase, cases, written


def main(words: list[str]) -> None:
    for folder in cases():
        if words and not any(word in str(folder) for word in words):
            continue
        made = {name: written(name, content) for name, content in GoldenCase(folder).expected().items()}
        for name in EXPECTED:
            path = folder / name
            if name not in made:
                path.unlink(missing_ok=True)
            elif not path.exists() or path.read_bytes() != made[name]:
                path.write_bytes(made[name])
                print(f"{folder.parent.name}/{folder.name}/{name}")


if __name__ == "__main__":
    main(sys.argv[1:])
