"""The process in which a suite's patterns are tried: one that takes for ever ends this process and nothing else.

On standard input one line of JSON for each try (`pattern`, `text`, `ignore_case`), on standard output one line each:
`true`, `false`, or why the pattern can't be used, as a text. It imports nothing of this project.
"""

from __future__ import annotations

import json
import re
import resource
import signal
import sys

#: Seconds of CPU that one try may take; the kernel ends the process after that.
MOST_SECONDS = 0.5
#: Bytes of memory: a pattern's stack may grow, too.
MEMORY = 512 << 20


def main() -> None:
    """Answer until there is no more to try."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for line in sys.stdin.buffer:
        signal.setitimer(signal.ITIMER_PROF, MOST_SECONDS)
        try:
            wanted = json.loads(line)
            flags = re.IGNORECASE if wanted["ignore_case"] else 0
            found: bool | str = re.search(wanted["pattern"], wanted["text"], flags) is not None
        except re.error as error:
            found = str(error)
        except (OverflowError, RecursionError, MemoryError):
            found = "too large"
        signal.setitimer(signal.ITIMER_PROF, 0)
        sys.stdout.write(json.dumps(found) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
