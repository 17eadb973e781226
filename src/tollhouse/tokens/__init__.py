"""How many tokens a text has: what stands behind the ports of `core.tokens`.

Lives here: `tokenizer`, which counts by the public `vocabulary` of a model where there is one and by the rule of
`estimator` where there is none; `cut`, where a text may be parted.
Does not live here: reading requests and answers for their text (`formats/`), and what tokens cost (`billing/`).
Who calls: `app.py` makes the counter; gateway and simulator are handed it. How far off it is: docs/tokens.md.
"""
