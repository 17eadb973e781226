"""The OpenAI wire format: chat, completions, responses, embeddings, moderations, the models list and its errors."""
