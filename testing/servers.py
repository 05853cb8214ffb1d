"""Web servers on free ports of this machine: the site as it runs in production, and others."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from testing.client import Client

ROOT = Path(__file__).resolve().parent.parent
SECONDS_TO_START = 60
# Clients say where they are as a proxy would, and nobody is slowed down but by the work.
UNLIMITED = {
    "LOGIN_FAILURES_PER_EMAIL_AND_IP_PER_15_MINUTES": "1000000",
    "LOGIN_FAILURES_PER_EMAIL_PER_DAY": "1000000",
    "LOGIN_FAILURES_PER_IP_PER_15_MINUTES": "1000000",
    "LOGINS_PER_EMAIL_AND_IP_PER_15_MINUTES": "1000000",
    "SIGNUPS_PER_IP_PER_HOUR": "1000000",
    "MAILS_PER_EMAIL_PER_HOUR": "1000000",
    "MAILS_PER_IP_PER_HOUR": "1000000",
    "PICTURES_PER_MEMBER_PER_HOUR": "1000000",
    "CODE_FAILURES_PER_EMAIL_AND_IP_PER_15_MINUTES": "1000000",
    "PASSKEY_FAILURES_PER_IP_PER_15_MINUTES": "1000000",
    "FACTOR_CHANGES_PER_MEMBER_PER_HOUR": "1000000",
}


def free_port():
    """Return a port of this machine's loopback on which nobody listens."""
    with socket.socket() as any_port:
        any_port.bind(("127.0.0.1", 0))
        return any_port.getsockname()[1]


def site_environment(database_url, **more):
    """Return the environment of a production site on `database_url`, and nothing of this one's."""
    return {
        "PATH": os.environ["PATH"],
        "SECRET_KEY": "a key that only a site on this machine's loopback has",
        "ALLOWED_HOSTS": "127.0.0.1",
        "SECURE_SSL": "false",
        "TRUSTED_PROXY_COUNT": "1",
        "EMAIL_URL": "dummymail://",
        "SECOND_FACTOR_REQUIRED": "nobody",  # staff would be led to set one up
        "DATABASE_URL": database_url,
        **more,
    }


def manage(environment, *command):
    """Run a management command of the site, and return what it prints."""
    command = [sys.executable, "manage.py", *command]
    environment = {"DEBUG": "false", **environment}
    return subprocess.check_output(command, cwd=ROOT, env=environment, text=True)


class Server:
    """
    gunicorn, with a site of its own, while the `with` block runs.

    `environment` is all that it sees of the world, `arguments` are gunicorn's. Its process group
    is its own: `signal` reaches the workers too.
    """

    def __init__(self, environment, *arguments, log, cpus=None):
        self.port = free_port()
        pin = ["taskset", "--cpu-list", cpus] if cpus else []
        self.command = [*pin, sys.executable, "-m", "gunicorn", *arguments]
        self.environment = {**environment, "PORT": str(self.port)}
        self.log = Path(log)

    def __enter__(self):
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                self.command,
                cwd=ROOT,
                env=self.environment,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        deadline = time.monotonic() + SECONDS_TO_START
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"Not started: {self.log.read_text()}")
            time.sleep(0.05)
        return self

    def __exit__(self, *error):
        if self.process.poll() is None:
            self.signal(signal.SIGKILL)
        self.process.wait()

    def answers(self):
        try:
            return Client(self.port).get("/").status < 600
        except OSError:
            return False

    def signal(self, number):
        os.killpg(self.process.pid, number)

    def workers(self):
        """Return the process ids of the workers."""
        path = f"/proc/{self.process.pid}/task/{self.process.pid}/children"
        return [int(pid) for pid in Path(path).read_text().split()]

    def cpu_seconds(self):
        """Return the seconds of CPU, user and system, that gunicorn and its workers took so far."""
        ticks = 0
        for pid in [self.process.pid, *self.workers()]:
            # The name, in brackets, may hold anything; utime and stime are the 14th and 15th field.
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")
