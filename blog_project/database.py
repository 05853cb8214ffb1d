"""The connections to PostgreSQL that this process has in its pool; with SQLite there is none."""

import threading

from django.db import connection

checking = threading.Lock()


def release_connection():
    """
    Give this thread's connection back to the pool while the thread waits for something slow.

    There are fewer connections than threads. The next query takes one again. Not within a
    transaction, which would be rolled back.
    """
    if getattr(connection, "pool", None) and not connection.in_atomic_block:
        connection.close()


def check_pool():
    """
    Let the pool find out which of its connections still work, in a thread of its own.

    After a restart of the database all are broken, and a visitor would wait seconds for each that
    the pool tries. One check at a time is enough, however many visitors ask for it.
    """
    pool = getattr(connection, "pool", None)
    if pool and not pool.closed and checking.acquire(blocking=False):
        threading.Thread(target=check, args=[pool], daemon=True).start()


def check(pool):
    try:
        pool.check()
    finally:
        checking.release()
