"""How texts begin: of a prompt that an answer was asked to repeat, and of the answer.

Not every server repeats what it is asked to. A prompt is no output only where the answer begins with it, so of each
prompt and of each answer the beginning is kept, and how long it is. A prompt of token ids is no text: an answer begins
with it where its first token has no probability, as only the first of a prompt has none.
"""

import re
from typing import Final, NamedTuple

HEAD_CHARACTERS: Final = 1024
"""What is kept of a text: who says so much of a prompt says it all."""
_BEFORE: Final = re.compile(r"(?:\s|<s>|<bos>|<\|begin_of_text\|>|<\|startoftext\|>)*")
"""What a tokenizer may put in front of a prompt, or leave out there."""


class TextStart(NamedTuple):
    text: str  # its first characters
    length: int  # characters in all; of token ids how many they are
    is_ids: bool = False
    is_unscored: bool = False  # of an answer: its first token came without a probability, where others have one
    scored: int = 0  # of an answer: tokens whose probabilities, or the lack of them, were told

    def and_then(self, more: str) -> "TextStart":
        left = HEAD_CHARACTERS - len(self.text)
        text = self.text + more[:left] if left > 0 else self.text
        return TextStart(text, self.length + len(more), self.is_ids, self.is_unscored, self.scored)


NOTHING: Final = TextStart("", 0)
TextStarts = dict[int, TextStart]
"""The beginnings of answers, by their index."""


def echoed(prompts: tuple[TextStart, ...], answers: TextStarts, each: int) -> tuple[int, int]:
    """Characters (or ids) of prompts that the answers begin with, and of all prompts. each: answers to a prompt."""
    said = 0
    for index, answer in answers.items():
        at = index // max(1, each)
        if 0 <= at < len(prompts) and _begins_with(answer, prompts[at]):
            said += prompts[at].length
    return said, sum(prompt.length for prompt in prompts)


def _begins_with(answer: TextStart, prompt: TextStart) -> bool:
    if prompt.is_ids:
        return answer.is_unscored and answer.scored >= prompt.length
    wanted, said = _plainly(prompt.text), _plainly(answer.text)
    if prompt.length > HEAD_CHARACTERS:  # both are cut, perhaps at other words
        size = min(len(wanted), len(said))
        return answer.length >= prompt.length - HEAD_CHARACTERS // 2 and said[:size] == wanted[:size]
    return said.startswith(wanted.rstrip())


def _plainly(text: str) -> str:
    before = _BEFORE.match(text)
    return text[before.end() :] if before else text
