"""How many tokens a text has: what stands behind the port `core.tokens.TokenCounter`.

Lives here: `estimator`, a documented rule without a vocabulary.
Does not live here: reading requests and answers for their text (`protocols/`), and what tokens cost (`billing/`).
Who calls: `app.py` makes the counter; gateway and simulator are handed it and call it.
"""
