"""The database: tables, and one file of queries per aggregate.

Queries are plain synchronous functions over a `Connection`, run by `Store.write` and `Store.read`; nothing else talks
to the database. A query that changes a turn, a lease or a job is conditional, and returns whether it applied.
"""
