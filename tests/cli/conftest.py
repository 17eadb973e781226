"""What tests of several commands share."""

import threading
from collections.abc import Iterator

import pytest

from tests.cli.shop import Shop


@pytest.fixture
def shop() -> Iterator[Shop]:
    shop = Shop()
    thread = threading.Thread(target=shop.server.serve_forever, args=(0.01,))
    thread.start()
    yield shop
    shop.server.shutdown()
    thread.join()
    shop.server.server_close()
