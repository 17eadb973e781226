"""docs/providers.md names the kinds that there are, as `make docs` writes it."""

from pathlib import Path

from tollhouse.providers import kinds, listing

PAGE = Path(__file__).parents[2] / "docs" / "providers.md"


def test_the_page_is_what_the_kinds_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == listing.render(kinds())


def test_each_kind_has_its_row() -> None:
    page = listing.render(kinds())
    assert [kind.name for kind in kinds().values() if not kind.in_process and f"| `{kind.name}` |" not in page] == []
