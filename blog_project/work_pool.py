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
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta

from django.db import connection

from blog_project.clients import client_network
from blog_project.database import release_connection
from blog_project.errors import RetryLater

NICENESS = 10  # on top of the process's own, of 19 at most
RETRY_AFTER = timedelta(seconds=10)  # in which a core hashes about forty passwords


class QueueFull(RetryLater):
    """There is no room in the queue of a pool."""


class WorkPool:
    """Runs at most `threads` calls at a time; at most `queue_size` more wait their turn."""

    def __init__(self, name, threads, queue_size):
        self.name, self.threads, self.capacity = name, threads, threads + queue_size
        self.start()
        if hasattr(os, "register_at_fork"):  # pragma: no branch (Windows)
            os.register_at_fork(after_in_child=self.start)  # threads stay behind in the parent

    def start(self):
        self.executor = ThreadPoolExecutor(self.threads, self.name, self.start_thread)
        self.by_network, self.lock = Counter(), threading.Lock()
        self.local = threading.local()

    def start_thread(self):
        self.local.in_pool = True
        # Elsewhere threads have no priority of their own.
        if sys.platform == "linux":  # pragma: no branch
            os.nice(NICENESS)  # the thread's alone

    def run(self, function, *args):
        """Return what `function` returns for `args`; raise QueueFull at once if it cannot wait."""
        if hasattr(self.local, "in_pool"):  # a call within a call
            return function(*args)
        release_connection()
        with self.reserve():
            return self.executor.submit(function, *args).result()

    @contextmanager
    def reserve(self):
        """Count one more call while the block runs; one network has at most three quarters."""
        network = client_network.get()  # None in a shell or a command, which may have all
        # Nobody waits with the database locked, as the admin would: that holds up everybody.
        capacity = self.threads if connection.in_atomic_block else self.capacity
        with self.lock:
            greedy = network and self.by_network[network] >= max(1, self.capacity * 3 // 4)
            if greedy or self.by_network.total() >= capacity:
                raise QueueFull(RETRY_AFTER)
            self.by_network[network] += 1
        try:
            yield
        finally:
            with self.lock:
                self.by_network -= Counter([network])  # and drops networks that have none left
