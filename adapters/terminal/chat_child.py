"""`python -m adapters.terminal.chat_child serve …`: a server that ends with the chat that started it.

Its standard input is a pipe that the chat holds. When the chat is gone, killed or not, the pipe ends, and the server
gets the SIGTERM that it knows. The command line runs as a module of its own, since nothing imports it.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
import threading


def _end_with(descriptor: int) -> None:
    while os.read(descriptor, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def main() -> None:
    """Watch standard input, and be `kagentbot` with these arguments."""
    watched = os.dup(sys.stdin.fileno())
    # The server's own children (the bundled model) must not hold the pipe, and have nothing to read from it.
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, sys.stdin.fileno())
    os.close(nothing)
    threading.Thread(target=_end_with, args=(watched,), daemon=True).start()
    runpy.run_module("bot.cli", run_name="__main__")


if __name__ == "__main__":
    main()
