"""The connections to PostgreSQL that this process has in its pool; with SQLite there is none."""

import threading

from django.db import connection

checking = threading.Lock()


def give_back():
    """
    Give this thread's connection back to the pool while the thread waits for something slow.

    There are fewer connections than threads. The next query takes one again. Not within a
    transaction, which would be undone.
    """
    if getattr(connection, "pool", None) and not connection.in_atomic_block:
        connection.close()


def drop_broken():
    """
    Let the pool look which of its connections still work.

    After a restart of the database it is full of broken ones, and takes seconds to find out about
    each that it hands to a visitor.
    """
    pool = getattr(connection, "pool", None)
    # Nobody waits for it: if the database's machine is gone, each connection takes seconds. And it
    # looks once at a time, however many visitors there are.
    if pool and not pool.closed and checking.acquire(blocking=False):
        threading.Thread(target=check, args=[pool], daemon=True).start()


def check(pool):
    try:
        pool.check()
    finally:
        checking.release()
