"""The HTTP server that adapters and operators share: listening, who may come in, errors, health.

It serves whatever routes it is given and knows no platform. Everything under `/api/` needs the token where there is
one; other routes are open or, where a platform signs its requests, checked by whoever serves them.
"""
