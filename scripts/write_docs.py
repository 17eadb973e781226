"""Write the pages under docs/ that are drawn from the code. A test compares them, so that neither drifts."""

from pathlib import Path

from tollhouse.settings import render_docs

DOCS = Path(__file__).parent.parent / "docs"


def main() -> None:
    (DOCS / "settings.md").write_text(render_docs(), encoding="utf-8")


if __name__ == "__main__":
    main()
