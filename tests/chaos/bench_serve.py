"""`kagentbot serve` whose jobs forget what they have posted, for the control of the kill test of benchmarks."""

from __future__ import annotations

import sys
from uuid import uuid4

from bot.cli import main
from bot.job_ledger import JobLedger
from bot.store import job_parts


def forget() -> None:
    """A restarted job doesn't know what it has posted, nor do strays get noticed, nor is a nonce the same again."""
    job_parts.of_job = lambda connection, job_id: []
    job_parts.known = lambda connection, platform, external_ids: set(external_ids)
    # Discord takes a message only once for each of them within some minutes.
    JobLedger.nonce = property(lambda self: uuid4().hex[:20])  # type: ignore[assignment,method-assign]


if __name__ == "__main__":
    forget()
    sys.argv[1:] = ["serve"]
    main()
