"""Databases to crash."""

from tests.store.conftest import postgresql_server

__all__ = ["postgresql_server"]
