"""
`python -m bench`: measures the site beside its peers, and prints a table.

It is written into docs/performance.md as well, unless --quick is asked for, whose small numbers
only show that the benchmark still works. Ratios come first: times are those of a busy machine. One
of them is measured twice, first and last, to tell how busy.
"""

import argparse
import tempfile
import time
from contextlib import ExitStack

from bench import pages, report, scale, sites, storms, workers
from bench.databases import PostgreSQL
from bench.report import Row, at_least, at_most


class Size:
    """How much is measured: enough to tell something, or just enough to run."""

    def __init__(self, quick):
        self.clients = {4: 40} if quick else {8: 40, 32: 100}  # and the most ms that home may take
        self.crowd = 8 if quick else 64
        self.seconds = 1 if quick else 15
        self.rounds, self.page_seconds = (1, 0.3) if quick else (7, 1)
        self.many, self.turns = (12_000, 1) if quick else (1_000_000, 3)
        self.first, self.then = (50, 100) if quick else (1_000, 10_000)


def login_rows(folder, size):
    for clients, most in size.clients.items():
        with sites.ours(folder) as site:
            storm, share = storms.share(site, clients, size.seconds, storms.log_in)
        beside = []
        for peer in [sites.flask, sites.stock]:
            with peer(folder) as site:
                other = storms.storm(site, clients, size.seconds, storms.log_in)
                beside.append(f"{site.name} {other.p99:.0f} ms")
        what = f"logins a second, {clients} clients, as a share of bare bcrypt"
        yield at_least(what, share, 0.95, f"{storm.rate:.1f} a second")
        yield Row(
            "p99 of the home page meanwhile",
            f"{storm.p99:.0f} ms, {storm.errors} errors",
            f"{most} ms, 0 errors",
            False if storm.errors else most / storm.p99,
            ", ".join(beside),
        )


def sign_up_rows(folder, size):
    # More threads, so that all of the 64 fit into the queue.
    with sites.ours(folder, THREADS="192") as site:
        storm, share = storms.share(site, 8, size.seconds, storms.sign_up)
        crowd = storms.storm(site, size.crowd, size.seconds, storms.sign_up)
        locked = site.server.log.read_text().count("database is locked")
    what = "sign-ups a second, 8 clients, as a share of bare bcrypt"
    yield at_least(what, share, 0.95, f"{storm.rate:.1f} a second")
    yield Row(
        f"“database is locked” while {size.crowd} clients sign up on SQLite",
        f"{locked}, {crowd.errors} errors",
        "0",
        not locked and not crowd.errors,
        f"{crowd.rate:.1f} a second",
    )


NOISE = ("About", "flask")  # what is measured first and last, and against whom


def page_rows(folder, size):
    turns = pages.Turns()
    with ExitStack() as stack:
        start = stack.enter_context
        ours, flask, stock = start(sites.ours(folder)), sites.flask, sites.stock
        products = [ours, start(flask(folder)), start(stock(folder))]
        peers = [*products[1:], start(flask(folder, True)), start(stock(folder, True))]
        for page in ["home", "About", "login form"]:
            turns.measure([ours, *peers], [page], size.rounds, size.page_seconds)
            for peer, must in zip(peers, [1.0, 2.0, 0.9, 2.0], strict=True):
                yield against(turns, page, peer.name, must)
        for peer in [products[2], peers[3]]:
            turns.measure([ours, peer], ["account"], size.rounds, size.page_seconds)
            yield against(turns, "account", peer.name, 1.2)
        for _ in range(size.rounds):  # a page beside the other
            turns.measure([ours], ["home", "a post", "an author"], 1, size.page_seconds)
    for page, must in [("a post", 1.0), ("an author", 0.9)]:
        beside = turns.beside(("ours", page), ("ours", "home"))
        what = f"{page} against home: pages per CPU"
        yield at_least(what, turns.cheaper("ours", page, "home"), must, beside)


def against(turns, page, peer, must):
    """Return the Row of how many times the pages a second of `peer` are those of the site."""
    server = "one server" if "like ours" in peer else "as products"
    what = f"{page} against the {peer.split()[0]} peer, {server}"
    beside = turns.beside(("ours", page), (peer, page))
    return at_least(what, turns.faster(page, "ours", peer), must, beside)


def sample(folder, size):
    """Return the row that is measured first and last, to see how noisy the machine is."""
    page, peer = NOISE
    turns = pages.Turns()
    with sites.ours(folder) as ours, getattr(sites, peer)(folder) as other:
        turns.measure([ours, other], [page], size.rounds, size.page_seconds)
    return turns.faster(page, "ours", peer)


def scale_rows(folder, size, postgresql):
    for name in ["SQLite", *(["PostgreSQL"] if postgresql else [])]:
        small, large = scale.compare(folder, postgresql, name, size.many, size.turns)
        pages = ["home", "a post", "an author", "a month"]
        for what in ["login", "sign-up check", "session read", *pages]:
            yield at_most(
                f"{what} with {size.many:,} rows against few, {name}",
                large[what] / small[what],
                1.2 if what in pages else 1.1,
                f"{large[what]:.1f} against {small[what]:.1f} ms",
            )
        most = {
            "page 1,000": 100,
            "admin: users": 300,
            "admin: search": 300,
            "admin: one user": 300,
        }
        for what, ms in most.items():
            yield at_most(f"{what} with {size.many:,} rows, {name}", large[what], ms, unit="ms")


def worker_rows(folder, size, postgresql):
    first, then = workers.memory(folder, size.first, size.then)
    yield Row(
        f"memory of a worker after {size.then:,} requests",
        f"{then:.0f} MB, {then - first:+.1f} since the first {size.first:,}",
        "120 MB, no growth",
        then <= 120 and then - first < 1,
    )
    if postgresql:
        url = postgresql.create("two")
        alone, both = workers.second_server(folder, url, 8, size.seconds)
        what = "logins with two web servers on a core each, against one, PostgreSQL"
        yield at_least(what, both / alone, 1.9, f"{both:.1f} against {alone:.1f} a second")


def main():
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small numbers, in a minute")
    quick = parser.parse_args().quick
    size, start, rows = Size(quick), time.monotonic(), []
    with tempfile.TemporaryDirectory() as folder, PostgreSQL.if_it_answers() as postgresql:
        first = sample(folder, size)
        for measure in [
            lambda: login_rows(folder, size),
            lambda: sign_up_rows(folder, size),
            lambda: page_rows(folder, size),
            lambda: worker_rows(folder, size, postgresql),
            lambda: scale_rows(folder, size, postgresql),
        ]:
            for row in measure():
                print(f"{time.monotonic() - start:4.0f} s  {row.what}: {row.measured}", flush=True)
                rows.append(row)
        last = sample(folder, size)
        versions = postgresql.version if postgresql else "no PostgreSQL"
    noise = max(first, last) / min(first, last) - 1
    page, peer = NOISE
    noisy = (
        f"{page} against the {peer} peer was {first:.2f} at first and {last:.2f} in the end."
        f" What these {noise:.0%} could turn around is called neither met nor missed."
    )
    text = f"{report.machine(versions)} {noisy}\n\n{report.table(rows, noise)}"
    print(f"\n{text}")
    if not quick:
        report.write(text, "performance.md", "bench")


if __name__ == "__main__":
    main()
