"""Whom we trust when we connect by TLS. Verification cannot be switched off; an own CA takes the system's place."""

import ssl
from collections.abc import Mapping
from typing import Final

from tollhouse.core.failure import UpstreamUnreachable

# X.509 verify codes, in words. OpenSSL's own text names the host, which callers must not see.
_REASONS: Final[Mapping[int, str]] = {
    10: "it has expired",
    18: "it is signed by itself",
    19: "its chain ends in an unknown certificate",
    20: "its issuer is unknown",
    62: "it belongs to another host name",
    64: "it belongs to another IP address",
}


class Contexts:
    """TLS settings by CA file, read once: a changed file takes effect with the next `Contexts`.

    Reading takes some 50 ms for a system's authorities: not on the loop.
    """

    def __init__(self) -> None:
        self._made: dict[str | None, ssl.SSLContext] = {}

    def get(self, ca_file: str | None) -> ssl.SSLContext | None:
        """What was read before."""
        return self._made.get(ca_file)

    def read(self, ca_file: str | None) -> ssl.SSLContext:
        """Trusts the system's authorities, or exactly those in `ca_file`; UpstreamUnreachable if it is unreadable."""
        try:
            context = ssl.create_default_context(cafile=ca_file)
        except OSError:  # ssl.SSLError is one
            raise UpstreamUnreachable("the provider's ca_file cannot be read as certificates") from None
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        self._made[ca_file] = context
        return context


def in_words(error: ssl.SSLError) -> str:
    """Why a TLS connection did not come about, without naming the host."""
    if isinstance(error, ssl.SSLCertVerificationError):
        reason = _REASONS.get(error.verify_code, f"X.509 verify code {error.verify_code}")
        return f"the provider's certificate was not accepted: {reason}"
    return f"no TLS connection to the provider: {error.reason or 'the handshake failed'}"
