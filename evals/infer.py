"""`python evals/infer.py OUT`: the published inference script's form of `kagent-bench infer OUT`.

As there, the data is `benchmark_eval.jsonl` in the current folder; where there is none, the sample. All options of
`kagent-bench infer` may follow.
"""

from __future__ import annotations

import sys
from pathlib import Path

#: What the published script reads.
DATA = "benchmark_eval.jsonl"


def main() -> None:
    """The program; ends the process."""
    # As a script, the folder of this file comes first, where `cli` would be a package of another name.
    here = Path(__file__).resolve().parent
    sys.path[:] = [str(here.parent), *(path for path in sys.path if Path(path or ".").resolve() != here)]
    from evals.cli import main as program

    given = sys.argv[1:]
    named = any(one == "--data" or one.startswith("--data=") for one in given)
    data = ["--data", DATA] if Path(DATA).is_file() and not named else []
    program(["infer", *data, *given])


if __name__ == "__main__":
    main()
