"""Own suites: questions of one's own with checks instead of goldens, asked by the same runner as KAgentBench's items.

It knows files, checks and pass rates. It asks no model itself, but for the judge that it is given.
"""

from __future__ import annotations

from evals.suites.cases import Case
from evals.suites.reading import append_case, case_of, read_suite

__all__ = ["Case", "append_case", "case_of", "read_suite"]
