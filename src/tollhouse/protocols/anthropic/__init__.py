"""The Anthropic wire format: the models list and errors so far."""
