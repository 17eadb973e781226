"""What each event of a chat or completions stream means, for the caller and for the charge.

The caller who asked for usage gets it once, in a chunk of its own before `[DONE]`; who did not ask gets none, however
the provider sends it: in a chunk without choices, riding on chunks with choices, in every chunk, or only on the last.
"""

from tollhouse.core.failure import UpstreamBroke
from tollhouse.core.sse import Event
from tollhouse.core.usage import Usage
from tollhouse.protocols.openai import chunk as chunks
from tollhouse.protocols.openai.step import Step
from tollhouse.protocols.openai.usage import says_something, write_chat

DONE = b"data: [DONE]\n\n"
_HEAD = ("id", "object", "created", "model", "service_tier", "system_fingerprint")


class ChatStream:
    """Reads event after event. `incomplete`: a choice ended at its length.

    `reported` is the last usage object; `current`: it was made when all text had been written. Some servers report the
    prompt at once and all the rest at the end, or totals so far on every chunk: the last such report of a stream that
    breaks off says less than was delivered.
    """

    __slots__ = ("_choices", "_finished", "_head", "_seen", "_show_usage", "current", "incomplete", "reported")

    def __init__(self, show_usage: bool, choices: int = 1) -> None:
        """choices: how many answers were asked for."""
        self._show_usage = show_usage
        self._choices = choices
        self._seen: set[int] = set()
        self._finished: set[int] = set()
        self._head: chunks.Object = {}
        self.incomplete = False
        self.reported: chunks.Object | None = None
        self.current = False

    @property
    def complete(self) -> bool:
        """Every choice that was asked for has been ended."""
        return len(self._finished) >= self._choices and self._finished >= self._seen

    def take(self, event: Event) -> Step:
        """Raises the failure that an error event stands for, UpstreamBroke for nonsense and for an early `[DONE]`."""
        data = event.data.strip()
        if not data:
            return Step()
        if data == b"[DONE]":
            if not self._finished or not self._finished >= self._seen:
                raise UpstreamBroke("The provider ended the stream before the answer was finished.")
            return Step(is_end=True)
        return self._chunk(data, chunks.read(event))

    def closing(self) -> bytes:
        """The last part of the stream: the usage chunk, if it was asked for and reported, and `[DONE]`."""
        return self.seal(None, None)

    def seal(self, tollhouse: chunks.Object | None, counted: Usage | None) -> bytes:
        """The last part with a member `tollhouse` in the usage chunk; `counted` is told instead of a report."""
        reported = self.reported if self.current else None
        usage = reported if counted is None else write_chat(counted)
        if not self._show_usage or usage is None:
            return DONE
        last = {**self._head, "choices": [], "usage": usage}
        if tollhouse is not None:
            last["tollhouse"] = tollhouse
        return b"data: %b\n\n" % chunks.encode(last) + DONE

    def _chunk(self, data: bytes, chunk: chunks.Object) -> Step:
        choices = chunks.choices(chunk)
        usage = chunks.usage_of(chunk, choices)
        if not self._head:
            self._head = {name: chunk[name] for name in _HEAD if name in chunk}
        is_news = usage is not None and (self.reported is None or says_something(usage))
        if is_news:
            self.reported = usage
            self.current = True
        if usage is not None:
            members = chunks.members_of(data, chunk)
            members.pop("usage", None)
            if not choices:
                self._head = members
                return Step()
            data = chunks.encode(members | {"usage": None} if self._show_usage else members)
        text = ""
        sound = pictures = 0
        bears = finishes = False
        for choice in choices:
            index = chunks.index_of(choice)
            self._seen.add(index)
            reason = chunks.finish_of(choice)
            if reason is not None:
                self._finished.add(index)
                self.incomplete = self.incomplete or reason == "length"
                finishes = True
            delta = chunks.delta_of(choice)
            text += chunks.text_of(delta)
            if "audio" in delta or "images" in delta:
                sound += chunks.sound_in(delta)
                pictures += chunks.pictures_in(delta)
            bears = bears or text != "" or chunks.bears_content(delta)
        if (text or sound or pictures) and not is_news:
            self.current = False
        out = b"data: " + (data.replace(b"\n", b" ") if b"\n" in data else data) + b"\n\n"
        is_plain = text != "" and not (sound or pictures) and usage is None and not finishes and len(choices) == 1
        return Step(out, text, bears or finishes, False, is_plain, sound, pictures)
