"""Write the catalogue of public models from its table, scripts/data/public_models.toml, and judge it on the way.

The table is what people edit and review; the JSON is what ships. `tests/services/test_public_models.py` demands that
they agree.
"""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from tollhouse.services.public_models import FILE, PublicModel

TABLE = Path(__file__).parent / "data" / "public_models.toml"
_FIELDS = {"context": "context_tokens", "output": "max_output_tokens", "retires": "retires_at"}


def rows() -> Iterator[PublicModel]:
    """Raises msgspec.ValidationError for a row that says what no row can say."""
    for maker, section in tomllib.loads(TABLE.read_text(encoding="utf-8")).items():
        for name, row in section["models"].items():
            fields: dict[str, Any] = {"checked": section["checked"], "page": section["page"]}
            fields |= {_FIELDS.get(key, key): value for key, value in row.items()}
            fields["tiers"] = [_tier(tier) for tier in row.get("tiers", [])]
            yield msgspec.convert({"id": name, "maker": maker} | fields, PublicModel)


def render() -> bytes:
    return msgspec.json.format(msgspec.json.encode(list(rows())), indent=1) + b"\n"


def _tier(given: dict[str, Any]) -> dict[str, Any]:
    price = {key: value for key, value in given.items() if key != "above_input_tokens"}
    return {"above_input_tokens": given["above_input_tokens"], "price": price}


if __name__ == "__main__":
    FILE.write_bytes(render())
