"""What the reader of platform.toml asks about providers, in one object: it fits the office's port."""

from tollhouse.providers import api_keys, base_url, kinds


class Rules:
    """The checks raise ValueError, whose message names the cure and no secret."""

    def kinds(self) -> tuple[str, ...]:
        return tuple(kinds())

    def check_base_url(self, kind: str, text: str) -> str:
        """The address as it will be used."""
        return base_url.read(kinds()[kind], text).base_url

    def check_api_key(self, text: str) -> None:
        problem = api_keys.check_api_key(text)
        if problem is not None:
            raise ValueError(problem)

    def needs_api_key(self, kind: str) -> bool:
        return kinds()[kind].needs_api_key
