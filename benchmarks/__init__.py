"""Measures what we claim: one file per figure, and programs that they start (`load`, `bare`).

`python -m benchmarks` prints a table and, with `--json`, writes all numbers. docs/benchmarks.md says how each figure
is measured. Nothing in the server imports this.
"""
