"""tollhouse: the LLM API platform that people host themselves."""
