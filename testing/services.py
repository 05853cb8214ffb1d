"""A PostgreSQL of the tests' own, which they may stop, kill and start again."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import psycopg

from testing.servers import free_port

SECONDS = 120  # what never takes so long, on the slowest machine, has failed


def wait_until(condition):
    """Return what `condition` returns as soon as that is true."""
    deadline = time.monotonic() + SECONDS
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"After {SECONDS} seconds still not {condition}")
        time.sleep(0.05)
    return value


def find(program):
    """Return the path of `program`, or None; Debian has PostgreSQL's own outside of PATH."""
    newest_last = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: float(folder.parent.name)
    )
    path = os.pathsep.join([os.environ["PATH"], *map(str, reversed(newest_last))])
    return shutil.which(program, path=path)


def missing():
    """Return which of the programs that are needed here are not installed."""
    return [program for program in ["initdb", "pg_ctl"] if not find(program)]


class Postgres:
    """A cluster of PostgreSQL while the `with` block runs."""

    def __init__(self):
        self.port = free_port()
        self.url = f"postgres://postgres@127.0.0.1:{self.port}/postgres"

    def __enter__(self):
        self.folder = Path(tempfile.mkdtemp())
        # PostgreSQL refuses to run as root.
        self.user = "postgres" if os.geteuid() == 0 else None
        if self.user:
            shutil.chown(self.folder, self.user)
        self.run("initdb", "--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-sync")
        self.start()
        return self

    def __exit__(self, *error):
        self.stop("immediate")
        shutil.rmtree(self.folder)

    def start(self):
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -k {self.folder}"
        self.run("pg_ctl", "start", f"--log={self.folder / 'log'}", f"--options={options}")

    def stop(self, mode="fast"):
        """Stop, with all connections closed by the server; "immediate" is a crash."""
        self.run("pg_ctl", "stop", f"--mode={mode}")

    def answers(self):
        with suppress(psycopg.OperationalError), psycopg.connect(self.url):
            return True

    def run(self, program, *arguments):
        arguments = [f"--pgdata={self.folder / 'data'}", *arguments]
        if program == "pg_ctl":
            arguments += ["--wait", f"--timeout={SECONDS}"]
        # Not a pipe: the server would keep it open.
        with (self.folder / "said").open("w+b") as said:
            run = subprocess.run(
                [find(program), *arguments],
                cwd=self.folder,
                user=self.user,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
            )
            said.seek(0)
            if run.returncode:
                raise RuntimeError(f"{program}: {said.read().decode()}")


def run_on_own(*command):
    """Run `command` on a PostgreSQL that is there for it alone; return its exit status."""
    with Postgres() as database:
        environment = {**os.environ, "DATABASE_URL": database.url}
        return subprocess.run(command, env=environment).returncode


if __name__ == "__main__":
    sys.exit(run_on_own(*sys.argv[1:]))
