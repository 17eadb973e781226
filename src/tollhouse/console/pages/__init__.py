"""One page a file: what a visit of it shows, and what its forms do.

Lives here: what is asked of the services, and under which names the template gets it.
Does not live here: HTML, headers, sessions.
Who calls: `console/application.py`, which finds the pages by walking this package.
"""
