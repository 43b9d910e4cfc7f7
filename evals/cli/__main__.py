"""`python -m evals.cli` is `kagent-bench`."""

from __future__ import annotations

from evals.cli.program import main

if __name__ == "__main__":
    main()
