"""Histories that agents have shortened by the model (Codex asks for it with an item, `compaction_trigger`, and expects
one item, `compaction`, back, which stands for all that was said before).

A model of another format writes a summary. It travels in the item where OpenAI's own encrypted state would stand, and
is said again by the user in later turns. What OpenAI encrypted, nobody else can read.
"""

from typing import Final

from tollhouse.core.conversation import Conversation, Message, Opaque, TextPart, ToolChoice
from tollhouse.core.opaque import opened, sealed

_OWN: Final = "openai_responses"
ITEM: Final = "compaction"
ITEMS: Final = (ITEM, "compaction_summary")
SUMMARY: Final = "tollhouse_summary"
"""Stands where a sealed text names its maker's format."""
_ASKED: Final = (
    "The conversation is to be shortened: your answer will replace all that was said before. Write a summary, in plain "
    "text, for whoever goes on with the task: what the user wants, what was decided and why, what has been done and "
    "what it gave (files, commands, results), what is left to do, and each fact that is needed for it. Call no tools."
)
_TOLD: Final = "Summary of the conversation so far:"


def ask_for_summary(conversation: Conversation) -> None:
    """What the trigger asks for, said by the user. The answer is text, whatever form is asked for otherwise."""
    conversation.messages.append(Message(role="user", parts=[TextPart(text=_ASKED)]))
    conversation.tool_choice = ToolChoice(choosing="none")
    conversation.output = None
    conversation.answer_stands_for = ITEM


def summary_in(encrypted: object) -> str | None:
    """The summary that an item holds, as the user says it; None: it holds what only another can read."""
    opaque = opened(encrypted, _OWN) if isinstance(encrypted, str) else None
    return f"{_TOLD}\n\n{opaque.data}" if opaque is not None and opaque.format == SUMMARY else None


def item_with(summary: str, item_id: str) -> dict[str, object]:
    return {"id": item_id, "type": ITEM, "encrypted_content": sealed(Opaque(SUMMARY, summary), _OWN)}
