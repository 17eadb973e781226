"""The Gemini format in core words, both ways: requests, answers, streams (`core.words.FormatWords`).

Lives here: what is used only where the caller's format and the provider's differ. Does not live here: equal formats,
whose bytes pass.
Who calls: `formats.gemini.codecs` names its functions; `core.translation` calls them.
"""
