"""The Gemini format in core words, both ways: requests, answers, streams (`core.words.FormatWords`).

Lives here: what is used only where the caller's format and the provider's differ. `read_request` and `write_request`,
`read_reply` and `write_reply`, `read_stream` and `write_stream` are the six ways; the other modules are parts of them.
Does not live here: equal formats, whose bytes pass.
Who calls: `formats.gemini.codecs` names its functions; `core.translation` calls them.
"""
