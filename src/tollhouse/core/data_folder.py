"""The names of the files in a data folder that several parts of the platform look for."""

from typing import Final

PLATFORM_FILE: Final = "platform.toml"
SOCKET: Final = "tollhouse.sock"
LOCK: Final = "tollhouse.lock"
DEMO_ENV: Final = "demo.env"
