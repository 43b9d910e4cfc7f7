"""The process that the embedded model lives in: llama.cpp's own server, out of the `xllamacpp` wheel.

Its whole protocol: one JSON line on standard input (what `_serve` reads), one JSON line on standard output (`port`, or
`error` and `detail`), and it ends when standard input does. A crash of native code takes this process and nothing else.
It imports nothing of this project, so that it can be started by its path from any directory.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import select
import signal
import sys
from collections.abc import Mapping
from typing import Any

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Serve until standard input ends."""
    report = _take_standard_output()
    # Ctrl-C and a service manager's SIGTERM reach the whole process group; turns that drain still need the model.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    _die_with_parent()
    line = sys.stdin.buffer.readline()
    if not line.endswith(b"\n") or _parent_is_gone():
        return
    try:
        server = _serve(json.loads(line))
        _tell(report, port=int(server.listening_address.rpartition(":")[2]))
        sys.stdin.buffer.read()
    except ImportError as error:
        _tell(report, error="import", detail=str(error))
    except RuntimeError as error:
        _tell(report, error="load", detail=str(error))
    finally:
        # Whatever happens: never wait for native threads, which may be in the middle of a reply.
        os._exit(0)


def _serve(config: Mapping[str, Any]) -> Any:
    """Load the model and listen; returns when it can answer."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = config["model_path"]
    params.model_alias = [config["alias"]]
    # llama.cpp divides the context by the slots.
    params.n_parallel = config["parallel"]
    params.n_ctx = config["parallel"] * config["context_per_slot"]
    params.cpuparams.n_threads = config["threads"]
    params.cpuparams_batch.n_threads = config["reading_threads"]
    params.n_batch = params.n_ubatch = config["batch"]
    # In MiB; by default it may grow to 8 GiB.
    params.cache_ram_mib = config["cache_mib"]
    if config["small_cache"]:
        # Keys and values are most of a small model's memory. Keys in eight bits take 90 MB less. With values in eight
        # bits, too, and so with flash attention, it would read and write a third slower behind a long prompt.
        params.cache_type_k = xllamacpp.ggml_type.GGML_TYPE_Q8_0
        params.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
    params.use_jinja = True
    # By default it listens without a key and lets any web page's script in, with credentials.
    params.api_keys = [config["api_key"]]
    params.cors_origins = "localhost"
    params.cors_credentials = False
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.ui = False
    params.endpoint_slots = False
    params.endpoint_metrics = True
    params.endpoint_props = False
    params.offline = True
    # Errors and warnings.
    params.verbosity = 2
    return xllamacpp.Server(params)


def _take_standard_output() -> int:
    """A descriptor for the report; what native code prints goes to standard error."""
    report = os.dup(1)
    os.dup2(2, 1)
    return report


def _die_with_parent() -> None:
    """Let the kernel end us with our parent, where it can.

    Loading holds the interpreter's lock, so the end of standard input goes unseen while a large model loads.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _parent_is_gone() -> bool:
    """Whether standard input has ended already: then the kernel was asked too late. Nothing follows the first line."""
    return sys.platform != "win32" and bool(select.select([0], [], [], 0)[0])


def _tell(report: int, **fields: object) -> None:
    # A parent that is gone reads nothing; then standard input has ended, too.
    with contextlib.suppress(BrokenPipeError):
        os.write(report, json.dumps(fields).encode() + b"\n")


if __name__ == "__main__":
    main()
