"""What a finished run says: the published line, tables with intervals, comparisons, charts, a page of HTML.

It computes from results (`evals.kagentbench.results`) alone, never asks a model, and writes no files: it returns texts
and bytes.
"""

from __future__ import annotations
