"""The alert channels that come with the platform, for tests that open a store or make services."""

from typing import Final

from tollhouse.outbound.discovery import platform_channels

CHANNELS: Final = platform_channels()
