"""A phrase is its English text, and can be said again in another language."""

import pytest

from tollhouse.core.failure import BadRequest, RateLimited
from tollhouse.core.phrase import Phrase
from tollhouse.limits.attempts import PER_MINUTE, Attempts
from tollhouse.services.translation import said


def test_phrase_is_a_text_with_its_values_in_it() -> None:
    phrase = Phrase("%(count)s of 100 %% are used", count=7)
    assert phrase == "7 of 100 % are used"
    assert (phrase.template, phrase.values) == ("%(count)s of 100 %% are used", {"count": 7})


def test_failure_keeps_the_phrase_and_sends_plain_text() -> None:
    failure = BadRequest(Phrase("%(param)s: this is empty", param="name"), param="name")
    assert type(failure.message) is str, "JSON is written of nothing else"
    assert (failure.message, said("zh-CN")(failure.phrase)) == ("name: this is empty", "name：此处为空")


def test_phrases_within_a_phrase_are_said_too_and_texts_of_users_are_not() -> None:
    say = said("zh-CN")
    named = Phrase('%(kind)s "%(name)s" (%(id)s)', kind=Phrase("key"), name="owner", id="key_1")
    assert say(Phrase("The balance is low: %(account)s", account=named)) == "余额不足：密钥“owner”（key_1）"
    assert said("en")(named) == 'key "owner" (key_1)'
    assert say("nobody has translated this %(yet)s") == "nobody has translated this %(yet)s"


def test_trying_too_often_is_said_in_another_language_too() -> None:
    attempts = Attempts("attempts to sign in")
    for _ in range(PER_MINUTE):
        attempts.admit(None, "203.0.113.7", 0)
    with pytest.raises(RateLimited) as refused:
        attempts.admit(None, "203.0.113.7", 0)
    assert "attempts to sign in per minute" in refused.value.message
    assert said("zh-CN")(refused.value.phrase) == "已达到每分钟 10 次登录尝试的上限；6s 后恢复。"
