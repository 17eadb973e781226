"""What a reader of configuration has to say: all mistakes of one run, and what is odd but works."""

from dataclasses import dataclass, field

from tollhouse.access.exposed import without_keys
from tollhouse.services.toml_text import KeyPath, Lines, line_of, written
from tollhouse.settings import Mistake


@dataclass(slots=True)
class Findings:
    lines: Lines = field(default_factory=dict)
    mistakes: list[Mistake] = field(default_factory=list)
    warnings: list[Mistake] = field(default_factory=list)
    unpriced: dict[str, Mistake] = field(default_factory=dict)

    def wrong(self, path: KeyPath, message: str) -> None:
        """The file cannot be used like this."""
        self.mistakes.append(self._at(path, message))

    def odd(self, path: KeyPath, message: str) -> None:
        """Probably not meant, yet it has a clear meaning."""
        self.warnings.append(self._at(path, message))

    def of_setting(self, mistake: Mistake) -> None:
        """One that the table of settings found: `section.name`, or the variable or flag that it came from."""
        line = line_of(tuple(mistake.where.split(".", 1)), self.lines)
        where, words = without_keys(mistake.where), without_keys(mistake.message)
        self.mistakes.append(Mistake(where=where, message=words, line=line))

    def has_no_price(self, path: KeyPath, model: str) -> None:
        """A price list that was imported may have one: whoever knows the lists says whether that is odd."""
        words = "no price: calls are refused until it has one, or says free = true"
        self.unpriced[model] = self._at(path, words)

    def _at(self, path: KeyPath, message: str) -> Mistake:
        where, words = without_keys(written(path)), without_keys(message)
        return Mistake(where=where, message=words, line=line_of(path, self.lines))
