"""One page a file: a function from what is known to the body of a page.

Lives here: words and their order. Does not live here: the frame around a page, headers, paths.
Who calls: `console/site.py`.
"""
