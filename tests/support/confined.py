"""`python -m tests.support.confined OPTIONS -- COMMAND…`: run a command that has less than this machine has.

It becomes the command, so the process id stays. With status 97 and one sentence it says that this machine doesn't allow
what was asked for.
"""

from __future__ import annotations

import argparse
import ctypes
import fcntl
import os
import socket
import struct
import sys
from pathlib import Path

#: Exit status where the machine doesn't allow it.
NOT_ALLOWED = 97
# linux/sched.h, linux/mount.h, linux/sockios.h, linux/if.h, linux/prctl.h, linux/capability.h
_NEW_USER, _NEW_MOUNTS, _NEW_NETWORK = 0x10000000, 0x00020000, 0x40000000
_RECURSIVE, _PRIVATE = 0x4000, 0x40000
_SET_FLAGS, _UP, _RUNNING = 0x8914, 0x1, 0x40
_DROP_CAPABILITY, _DAC_OVERRIDE, _DAC_READ_SEARCH = 24, 1, 2

_HOW_TO_ALLOW = (
    "this machine lets its users make no namespaces, which this test needs: run it as root with CAP_SYS_ADMIN (in "
    "a container: --cap-add SYS_ADMIN), or allow unprivileged user namespaces (sysctl user.max_user_namespaces, "
    "kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns)"
)


class NotAllowed(Exception):
    """The machine doesn't allow it."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.support.confined", description=__doc__)
    parser.add_argument("--loopback", action="store_true", help="no network but 127.0.0.1")
    parser.add_argument("--disk", metavar="FOLDER=BYTES", help="a disk of its own, of this size, in this folder")
    parser.add_argument("--plain-user", action="store_true", help="permissions of files hold for root, too")
    parser.add_argument("command", nargs="+")
    options = parser.parse_args()
    try:
        if options.loopback or options.disk:
            _unshare((_NEW_NETWORK if options.loopback else 0) | (_NEW_MOUNTS if options.disk else 0))
        if options.loopback:
            _raise_loopback()
        if options.disk:
            folder, _, size = options.disk.rpartition("=")
            _mount_disk(folder, int(size))
    except (NotAllowed, OSError) as error:
        print(f"{_HOW_TO_ALLOW} ({error})", file=sys.stderr)
        sys.exit(NOT_ALLOWED)
    if options.plain_user and os.geteuid() == 0:
        for capability in (_DAC_OVERRIDE, _DAC_READ_SEARCH):
            _call("prctl", _DROP_CAPABILITY, capability, 0, 0, 0)
    os.execvp(options.command[0], options.command)


def _unshare(what: int) -> None:
    """New namespaces: as who may make them, else inside a user namespace of our own."""
    try:
        _call("unshare", what)
    except NotAllowed:
        user, group = os.geteuid(), os.getegid()
        _call("unshare", what | _NEW_USER)
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1")


def _raise_loopback() -> None:
    """A new network namespace has a loopback interface that is down."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, _SET_FLAGS, struct.pack("16sh14x", b"lo", _UP | _RUNNING))


def _mount_disk(folder: str, size: int) -> None:
    Path(folder).mkdir(parents=True, exist_ok=True)
    # Or the disk would be seen outside, too, and stay there.
    _call("mount", b"none", b"/", None, _RECURSIVE | _PRIVATE, None)
    _call("mount", b"kagentbot-test", os.fsencode(folder), b"tmpfs", 0, f"size={size},mode=700".encode())


def _call(name: str, *arguments: int | bytes | None) -> None:
    """A function of the C library. Raises `NotAllowed` where it fails."""
    library = ctypes.CDLL(None, use_errno=True)
    if getattr(library, name)(*arguments) != 0:
        raise NotAllowed(f"{name}: {os.strerror(ctypes.get_errno())}")


if __name__ == "__main__":
    main()
