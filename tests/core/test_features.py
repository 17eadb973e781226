"""What a format cannot say: refused or dropped by the caller's own names for it, however many there are."""

import pytest

from tollhouse.core.conversation import Conversation
from tollhouse.core.failure import UnsupportedParameter
from tollhouse.core.features import FEATURES, NAMED_CHARACTERS_MAX, note, untold


def test_what_changes_the_meaning_is_refused_and_the_rest_is_named() -> None:
    for feature, (consequence, title) in FEATURES.items():
        conversation = Conversation(messages=[])
        note(conversation, feature, "one")
        note(conversation, feature, "two")
        assert untold(conversation, {feature}, "X") == ()
        if consequence == "dropped":
            assert untold(conversation, (), "X") == ("one", "two")
            continue
        with pytest.raises(UnsupportedParameter, match="X") as refused:
            untold(conversation, (), "X")
        assert refused.value.param == "one"
        assert title in refused.value.message


def test_the_names_of_very_many_members_are_not_kept() -> None:
    conversation = Conversation(messages=[])
    for number in range(100_000):
        note(conversation, "other", f"member_{number}")
    assert NAMED_CHARACTERS_MAX <= len(conversation.uses["other"]) < NAMED_CHARACTERS_MAX + 20
    with pytest.raises(KeyError):
        note(conversation, "no such feature", "x")
