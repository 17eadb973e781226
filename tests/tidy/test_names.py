"""One class name, one meaning: the rule catches its bad samples, and the repository keeps it."""

import pytest

from tests.tidy.names import same_class_name
from tests.tidy.source import parse, sources

LIMITS = "class Bucket:\n    pass\n"


@pytest.mark.parametrize(
    "other",
    [
        "class Bucket:\n    pass\n",
        "def f():\n    class Bucket:\n        pass\n",
        "class Report:\n    class Bucket:\n        pass\n",
    ],
)
def test_same_class_name_finds_a_second_class_of_a_name(other: str) -> None:
    files = [parse("src/tollhouse/limits/bucket.py", LIMITS), parse("src/tollhouse/services/usage.py", other)]
    found = [str(finding) for finding in same_class_name(files)]
    assert len(found) == 1
    assert found[0].startswith("src/tollhouse/services/usage.py:")
    assert "src/tollhouse/limits/bucket.py:1" in found[0]


def test_same_class_name_allows_different_names_and_uses() -> None:
    other = "from tollhouse.limits.bucket import Bucket\n\nclass UsageBucket:\n    rate: Bucket\n"
    files = [parse("src/tollhouse/limits/bucket.py", LIMITS), parse("src/tollhouse/services/usage.py", other)]
    assert list(same_class_name(files)) == []


def test_every_class_of_the_repository_has_a_name_of_its_own() -> None:
    found = [str(finding) for finding in same_class_name(sources("src", "tests", "bench", "scripts"))]
    if found:
        pytest.fail("\n".join(found), pytrace=False)
