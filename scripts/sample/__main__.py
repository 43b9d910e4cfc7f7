"""`python -m scripts.sample` writes the sample again; `--check` says whether it would change, with exit code 1."""

from __future__ import annotations

import sys

from evals.kagentbench.sample import sample_path
from scripts.sample.build import lines


def main(args: list[str]) -> int:
    """The exit code."""
    path = sample_path()
    new = lines()
    if "--check" in args:
        return int(path.read_text(encoding="utf-8") != new)
    path.parent.mkdir(exist_ok=True)
    path.write_text(new, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
