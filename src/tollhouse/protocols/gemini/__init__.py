"""The Gemini wire format: the models list and errors so far."""
