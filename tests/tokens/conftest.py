import pytest

from tollhouse.tokens.tokenizer import Tokenizer


@pytest.fixture(scope="session")
def tokenizer() -> Tokenizer:
    """One for the session: its vocabularies take some 80 MB."""
    return Tokenizer()
