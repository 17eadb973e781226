"""Whether key and address of a provider are of another vendor than its kind, as far as they tell."""

from collections.abc import Iterable

from tollhouse.access.oddities import vendor_of
from tollhouse.providers import base_url
from tollhouse.providers.kind import Kind


def foreign_vendor(kind: Kind, written: str, key: str) -> str:
    """The vendor as whose keys this one begins, where that is not the kind's own; empty: none is known. What stands
    elsewhere than at the kind's own address may take any keys. written: the provider's base URL."""
    own = kind.base_url and base_url.read(kind, written).host == base_url.read(kind, "").host
    vendor = vendor_of(key) if own else ""
    return "" if vendor in kind.title else vendor


def owner_of(kind: Kind, host: str, kinds: Iterable[Kind]) -> Kind | None:
    """Whose own address a host is, where that vendor documents none of the formats of this kind there. Many vendors
    have OpenAI's beside their own, so its kind may stand anywhere."""
    if not kind.base_url or kind.name == "openai" or host == base_url.read(kind, "").host:
        return None
    others = (one for one in kinds if one.base_url and not one.in_process)
    owner = next((one for one in others if base_url.read(one, "").host == host), None)
    return None if owner is None or set(owner.speaks).intersection(kind.speaks) else owner
