"""`python evals/score.py BENCH PREDICTIONS`: the published scorer's form of `kagent-bench eval`, with its output.

It prints what the published script prints: both files, then the line, last. Everything else goes to standard error. All
options of `kagent-bench eval` may follow.
"""

from __future__ import annotations

import sys
from pathlib import Path


def main() -> None:
    """The program; ends the process."""
    # As a script, the folder of this file comes first, where `cli` would be a package of another name.
    here = Path(__file__).resolve().parent
    sys.path[:] = [str(here.parent), *(path for path in sys.path if Path(path or ".").resolve() != here)]
    from evals.cli import main as program

    program(["eval", "--published", *sys.argv[1:]])


if __name__ == "__main__":
    main()
