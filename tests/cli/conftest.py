"""What tests of several commands share."""

import threading
from collections.abc import Iterator

import pytest

from tests.cli.fake_service import FakeService


@pytest.fixture
def service() -> Iterator[FakeService]:
    service = FakeService()
    thread = threading.Thread(target=service.server.serve_forever, args=(0.01,))
    thread.start()
    yield service
    service.server.shutdown()
    thread.join()
    service.server.server_close()
