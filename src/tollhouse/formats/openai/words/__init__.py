"""OpenAI's formats in core words: chat, completions and responses, for calls whose provider speaks another format.

Lives here: for each format its request, its answer and its stream, read into core words and written from them;
`by_operation` names the six functions of each (of chat: `chat_request`, `chat_body`, `chat_reply`, `chat_answer`,
`chat_events`, `chat_chunks`), and the other modules are parts of them.
Does not live here: what equal formats need, which pass their bytes on (the package above); features (`core.features`).
Who calls: `formats.openai.codecs`, which hands the words to `core.translation`.
"""
