"""HTTP to providers: one call out, one answer in, for the `Upstream` port of `core.upstream`.

Lives here: the client (`client`), its connections (`pool`, `connection`, `dial`, `resolve`, `proxy`, `tls`), one answer
as it is parsed and read (`stream`, `decoding`), deadlines (`deadline`), where a base URL may lead (`address`), and the
`simulator`, which answers the same port without a network.
Does not live here: what is sent and what an answer means (`providers`, `formats`), which provider is asked and
whether another is tried (`gateway`). Redirects are not followed, cookies are not kept.
Who calls: `app.py` makes one `Client` and hands it to the gateway's destinations; nobody else imports this package.
"""
