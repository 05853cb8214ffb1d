"""
Pools of a few threads for work that takes a core for long, so that it cannot starve the pages.

bcrypt takes a quarter of a second of a core, by design. In the threads that answer requests,
eight people who log in would hold up every other page for a second. In a pool as many hash at a
time as there are cores, with a lower priority than everything else; the others wait in a queue.
"""

import os
import sys
import threading
from collections import Counter
from concurrent.futures import CancelledError, ThreadPoolExecutor
from datetime import timedelta
from typing import NamedTuple

from django.core.signals import request_started
from django.db import connection

from blog_project.clients import client_network
from blog_project.database import release_connection
from blog_project.errors import RetryLater

NICENESS = 10  # on top of the process's own, of 19 at most
RETRY_AFTER = timedelta(seconds=10)  # in which a core hashes about forty passwords


class QueueFull(RetryLater):
    """There is no room in the queue of a pool."""


class Call(NamedTuple):
    """From which network, and whether it is the first of its request."""

    network: str | None
    first: bool


class WorkPool:
    """
    Runs at most `threads` calls at a time; at most `queue_size` more wait their turn.

    When the queue is full, the network with most calls makes room for one with fewer (longest
    queue drop): whoever logs in rightly, as often as they like, shuts nobody else out.
    """

    def __init__(self, name, threads, queue_size):
        self.name, self.threads, self.capacity = name, threads, threads + queue_size
        self.start()
        if hasattr(os, "register_at_fork"):  # pragma: no branch (Windows)
            os.register_at_fork(after_in_child=self.start)  # threads stay behind in the parent
        request_started.connect(self.start_request)

    def start(self):
        self.executor = ThreadPoolExecutor(self.threads, self.name, self.start_thread)
        self.calls, self.lock = {}, threading.Lock()  # a Call for each future, the oldest first
        self.local = threading.local()

    def start_thread(self):
        self.local.in_pool = True
        # Elsewhere threads have no priority of their own.
        if sys.platform == "linux":  # pragma: no branch
            os.nice(NICENESS)  # the thread's alone

    def start_request(self, **kwargs):
        self.local.served = False

    def run(self, function, *args):
        """
        Return what `function` returns for `args`, or raise QueueFull: at once, or when dropped.

        Further calls of a request always run: the first may have verified a password, which is
        worth nothing to its owner unless the second upgrades its hash.
        """
        if hasattr(self.local, "in_pool"):  # a call within a call
            return function(*args)
        release_connection()
        call = Call(client_network.get(), first=not getattr(self.local, "served", False))
        with self.lock:
            if call.first:
                self.make_room(call.network)
            future = self.executor.submit(function, *args)
            self.calls[future] = call
        try:
            result = future.result()
        except CancelledError:
            raise QueueFull(RETRY_AFTER) from None
        finally:
            with self.lock:
                self.calls.pop(future, None)
        self.local.served = True
        return result

    def make_room(self, network):
        """Raise QueueFull unless one more call of `network` may run or wait."""
        by_network = Counter(call.network for call in self.calls.values())
        own, locked = by_network[network] + 1, connection.in_atomic_block
        # One network has at most three quarters; None, in a shell or a command, may have all.
        greedy = network and own > max(1, self.capacity * 3 // 4)
        # Nobody waits with the database locked, as the admin would: that holds up everybody.
        full = len(self.calls) >= (self.threads if locked else self.capacity)
        if greedy or (full and (locked or not self.drop_newest(by_network, own))):
            raise QueueFull(RETRY_AFTER)

    def drop_newest(self, by_network, own):
        """Cancel the newest waiting call of the network with most, if those are more than `own`."""
        newest = reversed(self.calls.items())
        for future, call in sorted(newest, key=lambda item: -by_network[item[1].network]):
            if by_network[call.network] > own and call.first and future.cancel():
                del self.calls[future]  # at once, for the next newcomer counts anew
                return True
        return False
