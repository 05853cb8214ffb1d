"""What a web worker takes in the long run, and what a second web server adds."""

from pathlib import Path

from bench import sites
from bench.load import Client, at_once
from bench.storms import log_in, storm


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
        member, stranger = site.member(0), Client(site.port)
        paths = ["/", "/?page=2", "/login/", "/register/", "/about/", "/nope/"]
        visits = [(stranger, path) for path in paths]
        visits += [(member, path) for path in ["/", "/account/", "/account/sessions/"]]
        seen = []
        for number in range(1, then + 1):
            visitor, path = visits[number % len(visits)]
            visitor.get(path)
            if number in (first, then):
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
