"""Secrets that have to be read again, such as what webhooks are signed with, encrypted by the master key.

The form is `enc:v1:<key id>:<base64 of nonce and ciphertext>`: AES-256-GCM with a key that is derived from the master
key (HKDF, SHA-256), bound to what the secret is for. Any other text is a secret that was kept before there was a master
key, and is read as it is.
"""

import hashlib
from base64 import b64decode, b64encode
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from tollhouse.core.failure import Conflict
from tollhouse.core.phrase import Phrase

SEALED: Final = "enc:v1:"
NONCE_BYTES: Final = 12


class Sealed(Exception):
    """A secret cannot be read: the master key that it was encrypted by is not there. The message names no secret."""


class Vault:
    """`master_key` empty: secrets stay as they are. `missing`: why a master key that is asked for is not there."""

    def __init__(self, master_key: str = "", *, missing: str = "") -> None:
        self._missing = missing
        self._key = _derived(master_key) if master_key else b""
        self._key_id = hashlib.sha256(b"tollhouse key id" + self._key).hexdigest()[:8]

    @property
    def seals(self) -> bool:
        """Whether it has a key to encrypt by."""
        return bool(self._key)

    def seal(self, secret: str, purpose: str, nonce: bytes) -> str:
        """The text that is kept. nonce: 12 random bytes, never used twice. Raises Conflict where the key is missing."""
        if self._missing:
            raise Conflict(Phrase("a secret cannot be kept without the master key: %(missing)s", missing=self._missing))
        if not self._key:
            return secret
        sealed = AESGCM(self._key).encrypt(nonce, secret.encode(), purpose.encode())
        return f"{SEALED}{self._key_id}:{b64encode(nonce + sealed).decode()}"

    def open(self, kept: str, purpose: str) -> str:
        """The secret again. Raises Sealed."""
        if not kept.startswith(SEALED):
            return kept
        key_id, _, text = kept.removeprefix(SEALED).partition(":")
        if not self._key:
            raise Sealed(self._missing or "it is encrypted, and no master key is set")
        if key_id != self._key_id:
            raise Sealed(f"it is encrypted by another master key ({key_id}; this one is {self._key_id})")
        try:
            data = b64decode(text, validate=True)
            return AESGCM(self._key).decrypt(data[:NONCE_BYTES], data[NONCE_BYTES:], purpose.encode()).decode()
        except (InvalidTag, ValueError):
            raise Sealed("it was damaged, or was kept for something else") from None


def _derived(master_key: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=b"tollhouse vault v1").derive(master_key.encode())
