"""The simulator as a provider: answers are made in process and cost nothing; no network, no key.

Its address is never called; it stands in a domain that does not exist (RFC 2606).
"""

from typing import Final

from tollhouse.providers.headers import with_bearer
from tollhouse.providers.kind import Kind
from tollhouse.providers.openai_errors import read_compatible_error
from tollhouse.providers.openai_target import target

KIND: Final = Kind(
    name="simulator",
    title="Simulator",
    base_url="http://simulator.invalid/v1",
    speaks=("openai_chat", "openai_responses"),
    target=target,
    make_headers=with_bearer,
    read_error=read_compatible_error,
    needs_api_key=False,
    in_process=True,
)
