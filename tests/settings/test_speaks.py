"""`speaks` in platform.toml decides what a provider is asked for; what nobody serves then is said by `plan`."""

import pytest

from tests.settings.test_platform_file import read_text
from tollhouse.providers import kinds
from tollhouse.services.platform_file import ConfigEnvironment, read

SPEAKS = """
[providers.p]
kind = "simulator"
speaks = {speaks}
[providers.q]
kind = "simulator"
[models.m]
offers = {offers}
free = true
{more}
"""
P_ALONE = '[{ provider = "p", model = "m" }]'
P_AND_Q = '[{ provider = "p", model = "m" }, { provider = "q", model = "m" }]'


@pytest.mark.parametrize(
    ("speaks", "offers", "more", "warnings"),
    [
        ('["openai_chat", "openai_responses"]', P_ALONE, "", []),
        ('["openai_chat"]', P_AND_Q, "", []),
        ('["openai_chat"]', P_ALONE, 'operations = ["chat", "embeddings"]', []),
        ('["openai_chat"]', P_ALONE, "", []),
        ('["openai_responses"]', P_ALONE, "", []),
        ('["openai_chat"]', P_ALONE, 'operations = ["chat", "responses"]', []),
        (
            '["openai_chat", "openai_responses", "gemini_content"]',
            P_ALONE,
            "",
            [("providers.p.speaks", "nothing is sent in gemini_content")],
        ),
    ],
)
def test_what_speaks_leaves_out_is_said(speaks: str, offers: str, more: str, warnings: list[tuple[str, str]]) -> None:
    reading = read_text(SPEAKS.format(speaks=speaks, offers=offers, more=more))
    assert not reading.mistakes
    assert [(one.where, words in one.message) for one, (_, words) in zip(reading.warnings, warnings, strict=True)] == [
        (where, True) for where, _ in warnings
    ]


def test_what_no_kind_of_its_offers_serves_is_said() -> None:
    """Every text is translated, and nothing else is: a vendor without embeddings cannot be asked for them."""
    text = """
[providers.a]
kind = "anthropic"
api_keys = ["sk-ant-api03-x"]
[models.m]
offers = [{ provider = "a", model = "m" }]
free = true
operations = ["chat", "responses", "embeddings"]
"""
    known = ConfigEnvironment(environment={}, read_file=str, kinds=kinds())
    (warning,) = read(text.encode(), known).warnings
    assert (warning.where, "no offer serves embeddings" in warning.message) == ("models.m.operations", True)
