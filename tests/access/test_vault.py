"""Secrets that have to be read again, encrypted by the master key."""

import pytest

from tollhouse.access.vault import NONCE_BYTES, SEALED, Sealed, Vault
from tollhouse.core.failure import Conflict

KEY, SECRET = "k" * 44, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NONCE = bytes(range(NONCE_BYTES))


def test_what_is_kept_holds_nothing_of_the_secret_and_gives_it_back() -> None:
    vault = Vault(KEY)
    kept = vault.seal(SECRET, "webhook", NONCE)
    assert kept.startswith(SEALED)
    assert SECRET not in kept
    assert vault.open(kept, "webhook") == Vault(KEY).open(kept, "webhook") == SECRET
    assert vault.seal(SECRET, "webhook", bytes(NONCE_BYTES)) != kept


def test_the_form_stays_for_databases_outlive_programs() -> None:
    kept = "enc:v1:49c497a2:AAECAwQFBgcICQoLJsjkM61r2R4i7Xm32DuWUGOm54afN5jDfPEi5oezwL4QJgdpscaeJrFAucX+nb3lXv1tpyMN"
    assert Vault(KEY).open(kept, "webhook") == SECRET


def test_without_a_master_key_secrets_stay_as_they_are_and_are_read_with_one_too() -> None:
    assert not Vault().seals
    assert Vault().seal(SECRET, "webhook", NONCE) == SECRET
    assert Vault().open(SECRET, "webhook") == Vault(KEY).open(SECRET, "webhook") == SECRET


def test_a_master_key_that_is_asked_for_and_not_there_keeps_nothing() -> None:
    vault = Vault(missing="environment variable MASTER is not set")
    with pytest.raises(Conflict, match="MASTER is not set"):
        vault.seal(SECRET, "webhook", NONCE)
    with pytest.raises(Sealed, match="MASTER is not set"):
        vault.open(Vault(KEY).seal(SECRET, "webhook", NONCE), "webhook")


@pytest.mark.parametrize(
    ("vault", "purpose", "words"),
    [
        (Vault("other" * 9), "webhook", "another master key"),
        (Vault(), "webhook", "no master key is set"),
        (Vault(KEY), "totp", "something else"),
    ],
)
def test_what_was_kept_by_another_key_or_for_something_else_is_not_read(vault: Vault, purpose: str, words: str) -> None:
    kept = Vault(KEY).seal(SECRET, "webhook", NONCE)
    with pytest.raises(Sealed, match=words) as caught:
        vault.open(kept, purpose)
    assert SECRET not in str(caught.value)


def test_what_was_damaged_is_not_read() -> None:
    kept = Vault(KEY).seal(SECRET, "webhook", NONCE)
    start = kept[: kept.rindex(":") + 1]
    for damaged in (kept[:-8] + "AAAA" + kept[-4:], start, f"{start}AA==", f"{start}?", kept[:-1]):
        with pytest.raises(Sealed):
            Vault(KEY).open(damaged, "webhook")
