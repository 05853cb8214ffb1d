"""
A small pool in which passwords are hashed, so that logins cannot starve the rest of the site.

bcrypt takes a quarter of a second of a core, by design. In the threads that answer requests,
eight people who log in would hold up every other page for a second. Here as many are hashed at
a time as there are cores, behind everything else that wants one; the rest wait in line.
"""

import os
import sys
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import timedelta

from django.conf import settings
from django.db import connection

from blog_project import connections
from blog_project.try_later import TryLater
from users.clients import client_ip, network

NICENESS = 10  # on top of the process's own, of 19 at most
WAIT_WHEN_BUSY = timedelta(seconds=10)  # in which a core hashes about forty

asker = ContextVar("asker", default=None)


class HashingBusy(TryLater):
    """The line is full."""


class HashingPool:
    """Runs at most `threads` calls at a time; at most `waiting` more wait their turn."""

    def __init__(self, threads, waiting):
        self.executor = ThreadPoolExecutor(threads, "hashing", self.begin)
        self.threads, self.places = threads, threads + waiting
        self.askers, self.lock = Counter(), threading.Lock()
        self.thread = threading.local()

    def begin(self):
        """Begin a thread of the pool."""
        self.thread.is_ours = True
        if sys.platform == "linux":  # elsewhere threads have no priority of their own
            os.nice(NICENESS)  # the thread's alone

    def run(self, function, *args):
        """Return what `function` returns for `args`; raise HashingBusy at once if none may wait."""
        if hasattr(self.thread, "is_ours"):  # a hasher that calls itself
            return function(*args)
        connections.give_back()
        with self.in_line():
            return self.executor.submit(function, *args).result()

    @contextmanager
    def in_line(self):
        """Take one of the places, of which one asker gets at most three quarters."""
        who = asker.get()  # None in a shell or a command, which may have all
        # Nobody waits with the database locked, as the admin would: that holds up everybody.
        places = self.threads if connection.in_atomic_block else self.places
        with self.lock:
            greedy = who and self.askers[who] >= max(1, self.places * 3 // 4)
            if greedy or self.askers.total() >= places:
                raise HashingBusy(WAIT_WHEN_BUSY)
            self.askers[who] += 1
        try:
            yield
        finally:
            with self.lock:
                self.askers -= Counter([who])  # and drops who has none left


def remember_asker(get_response):
    """Let the pool know from where each password comes: nobody there fills the whole line."""

    def middleware(request):
        asker.set(network(client_ip(request)))
        return get_response(request)

    return middleware


def start():
    global pool
    pool = HashingPool(settings.HASHING_THREADS, settings.HASHING_QUEUE)


start()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=start)  # the threads stay behind in the parent


def pooled(method):
    """Decorate a method so that it runs in the pool."""

    def in_pool(*args):
        return pool.run(method, *args)

    return in_pool
