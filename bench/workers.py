"""What a web worker takes in the long run, and what a second web server adds."""

from pathlib import Path

from bench import sites
from bench.storms import log_in, storm
from testing.client import Client, at_once

CLIENTS = 8


def megabytes(pid):
    """Return the memory of a process that is in use, what it shares with its parent included."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise ValueError(f"Process {pid} has no memory.")


def memory(folder, first, then):
    """Return the MB of a worker after `first` and after `then` requests, of all kinds of pages."""
    with sites.ours(folder, workers=1) as site:
        [worker] = site.server.workers()
        members = [site.member(number) for number in range(CLIENTS)]
        strangers = [Client(site.port) for _ in range(CLIENTS)]

        def visit(number, requests):
            for count in range(requests // CLIENTS):
                visitor, path = [
                    (strangers[number], "/"),
                    (strangers[number], "/?page=2"),
                    (strangers[number], "/login/"),
                    (strangers[number], "/register/"),
                    (strangers[number], "/nope/"),
                    (members[number], "/"),
                    (members[number], "/account/"),
                    (members[number], "/account/sessions/"),
                ][count % 8]
                visitor.get(path)

        seen = []
        for requests in [first, then - first]:
            at_once(CLIENTS, lambda number, requests=requests: visit(number, requests))
            seen.append(megabytes(worker))
        return seen


def second_server(folder, database_url, clients, seconds):
    """
    Return logins a second with one web server on core 0, and with another on core 1 beside it.

    Both are on one database, which has no core of its own.
    """

    def rate(*servers):
        storms = at_once(
            len(servers), lambda index: storm(servers[index], clients, seconds, log_in)
        )
        return sum(one.rate for one in storms)

    with sites.ours(folder, database_url, workers=1, cpus="0") as first:
        alone = rate(first)
        with sites.ours(folder, database_url, workers=1, cpus="1") as second:
            both = rate(first, second)
        again = rate(first)
    return (alone + again) / 2, both
