"""docs/translation.md says what each format says, drops and refuses, as `scripts/write_docs.py` writes it."""

from pathlib import Path

import pytest

from tollhouse.core.features import FEATURES
from tollhouse.core.operation import TRANSLATED
from tollhouse.formats import codecs, translation_table

PAGE = Path(__file__).parents[2] / "docs" / "translation.md"
SAYING = [codec for codec in codecs().values() if codec.words is not None]


def test_the_page_is_as_the_code_has_it() -> None:
    assert PAGE.read_text(encoding="utf-8") == translation_table.render(codecs().values())


def test_the_page_has_every_feature() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert [name for name in FEATURES if f"| `{name}` |" not in page] == []


@pytest.mark.parametrize("codec", SAYING, ids=lambda codec: codec.wire)
def test_a_format_says_only_what_is_a_feature(codec: object) -> None:
    words = next(one.words for one in SAYING if one is codec)
    assert words is not None
    assert words.says <= FEATURES.keys()


def test_each_format_that_is_translated_has_words() -> None:
    assert {codec.wire for codec in SAYING} == TRANSLATED
