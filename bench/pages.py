"""Pages a second, and what the peers serve with the same server and workers in the same run."""

import statistics
import time

from bench.storms import per_second
from testing.client import Client, at_once

CLIENTS = 8


def rates(sites, rounds, seconds):
    """
    Return {page: {name of the site: pages a second}} for home, login form and account.

    The sites take turns, `rounds` times, and the median counts: the machine may be busy.
    """
    members = {site.name: [site.member(number) for number in range(CLIENTS)] for site in sites}
    measured = {}
    for page in ["home", "login form", "account"]:
        turns = {site.name: [] for site in sites}
        for _ in range(rounds):
            for site in sites:
                path = {"home": "/", "login form": site.login, "account": site.account}[page]
                strangers = [Client(site.port) for _ in range(CLIENTS)]
                clients = members[site.name] if page == "account" else strangers
                turns[site.name].append(rate(clients, path, seconds))
        measured[page] = {name: statistics.median(turn) for name, turn in turns.items()}
    return measured


def rate(clients, path, seconds):
    """Return how many pages a second the `clients` get, each page on a new connection."""
    for client in clients:  # warm up
        client.get(path)
    end = time.monotonic() + seconds

    def read(index):
        client, count = clients[index], 0
        client.keep = False
        while time.monotonic() < end:
            answer = client.get(path)
            if answer.status != 200:
                raise RuntimeError(f"{path} answered {answer.status}.")
            count += 1
        return count

    return per_second(lambda: at_once(len(clients), read))
