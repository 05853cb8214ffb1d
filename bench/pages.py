"""Pages a second and the CPU that one takes: ours, and what the peers serve in the same minutes."""

import statistics
import time
from collections import defaultdict
from typing import NamedTuple

from testing.client import Client, at_once

CLIENTS = 8


class Turn(NamedTuple):
    """Pages a second, and the CPU that each took of all processes of its server, in ms."""

    rate: float
    cpu: float


class Turns:
    """What was measured of pages, turn by turn: {(name of the site, page): a Turn a round}."""

    def __init__(self):
        self.seen = defaultdict(list)

    def measure(self, sites, pages, rounds, seconds):
        """Let each of `sites` answer each of `pages` for `seconds`, `rounds` times in turn."""
        for page in pages:
            for _ in range(rounds):
                for site in sites:
                    self.seen[site.name, page].append(turn(site, page, seconds))

    def faster(self, page, ours, peer):
        """Return how many pages `ours` serves for each one of `peer`."""
        return self.median(lambda one, other: one.rate / other.rate, (ours, page), (peer, page))

    def cheaper(self, site, page, other):
        """Return how many of `page` the CPU suffices for that `other` takes, another page there."""
        return self.median(lambda one, another: another.cpu / one.cpu, (site, page), (site, other))

    def median(self, compare, one, other):
        # Of the rounds, in which both ran within seconds: the machine may be busy, now and then.
        return statistics.median(map(compare, self.seen[one], self.seen[other]))

    def beside(self, *measured):
        """Return in words the pages a second and the CPU a page of some (name of site, page)."""
        turns = [self.seen[one] for one in measured]
        rates = [f"{statistics.median(turn.rate for turn in seen):.0f}" for seen in turns]
        cpu = [f"{statistics.median(turn.cpu for turn in seen):.2f}" for seen in turns]
        return f"{' against '.join(rates)} a second, {' against '.join(cpu)} ms of CPU"


def turn(site, page, seconds):
    """Let `site` answer `page` for `seconds`, each time on a new connection; return the Turn."""
    path, member = site.paths[page]
    if member and not site.members:
        site.members = [site.member(number) for number in range(CLIENTS)]
    clients = site.members if member else [Client(site.port) for _ in range(CLIENTS)]
    for client in clients:  # warm up
        client.keep = False
        client.get(path)
    cpu, start = site.server.cpu_seconds(), time.monotonic()

    def read(index):
        count = 0
        while not count or time.monotonic() < start + seconds:
            answer = clients[index].get(path)
            if answer.status != 200:
                raise RuntimeError(f"{site.name}: {path} answered {answer.status}.")
            count += 1
        return count

    count = sum(at_once(CLIENTS, read))
    took = time.monotonic() - start
    return Turn(count / took, (site.server.cpu_seconds() - cpu) * 1000 / count)
