"""A time zone is a place of the database of zones, and no other file of the system."""

import pytest

from tollhouse.core.failure import BadRequest
from tollhouse.services.fields import zone


@pytest.mark.parametrize(
    "name", ["UTC", "Europe/Zurich", "America/Argentina/Ushuaia", "Etc/GMT+5", "EST", "Asia/Kolkata"]
)
def test_a_place_is_a_zone(name: str) -> None:
    assert zone(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "localtime", "posixrules", "tzdata.zi", "leapseconds", "zone.tab", "right/Europe/Berlin", "posix/Europe/Berlin",
        "/etc/localtime", "../../../etc/passwd", "Europe/../../../etc/passwd", "Europe", "Europe/", "US",
        "Europe/Berlin\0", "", " ", "utc", "europe/berlin", "Europe\\Berlin", "Berlin", "+01:00", "A" * 9_999,
    ],
)  # fmt: skip
def test_any_other_text_is_refused(name: str) -> None:
    with pytest.raises(BadRequest, match="no time zone; write it as Europe/Zurich"):
        zone(name)
