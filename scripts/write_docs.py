"""Write what is drawn from the code: pages under docs/, and the list of routes that commands use. Tests compare
them, so that neither drifts."""

from pathlib import Path

from tollhouse.console import roles_table
from tollhouse.edge.admin.listing import render
from tollhouse.formats import codecs, translation_table
from tollhouse.providers import kinds, listing
from tollhouse.settings import render_docs

ROOT = Path(__file__).parent.parent


def main() -> None:
    (ROOT / "docs" / "settings.md").write_text(render_docs(), encoding="utf-8")
    (ROOT / "docs" / "console-roles.md").write_text(roles_table.render(), encoding="utf-8")
    (ROOT / "docs" / "providers.md").write_text(listing.render(kinds()), encoding="utf-8")
    translation = translation_table.render(codecs().values())
    (ROOT / "docs" / "translation.md").write_text(translation, encoding="utf-8")
    (ROOT / "src" / "tollhouse" / "cli" / "routes.py").write_text(render(), encoding="utf-8")


if __name__ == "__main__":
    main()
