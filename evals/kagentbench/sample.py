"""The sample that ships with the package: items of our own in the official format, so that everything runs at once.

Its number says whether a model, its server and this project work together. It is no KAgentBench score: a report marks
it `[sample 40]` and shows no published row beside it.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

#: What the data set is called on every command line and in every report.
SAMPLE_NAME: Final = "sample"


def sample_path() -> Path:
    """The file. It lies beside this module, in a checkout and where a wheel was installed; wheels run unzipped only."""
    return Path(__file__).with_name("sample") / "sample.jsonl"


def is_sample(sha256: str) -> bool:
    """Whether a file with this digest (hexadecimal) is the sample of this version, whatever it is called."""
    return sha256.lower() == hashlib.sha256(sample_path().read_bytes()).hexdigest()
