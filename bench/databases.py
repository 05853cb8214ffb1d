"""Databases of the benchmark's own on a PostgreSQL of this machine, if one answers."""

import os
from contextlib import contextmanager

import psycopg

SERVER = os.environ.get("BENCH_POSTGRESQL", "postgres://postgres@127.0.0.1:5432")


class PostgreSQL:
    """Creates databases named bench_…, and drops them in the end."""

    def __init__(self, connection):
        self.connection, self.created = connection, []
        number = connection.info.server_version
        self.version = f"PostgreSQL {number // 10_000}.{number % 10_000}"

    @classmethod
    @contextmanager
    def if_it_answers(cls):
        """Hand a PostgreSQL to the `with` block, or None."""
        try:
            connection = psycopg.connect(f"{SERVER}/postgres", autocommit=True, connect_timeout=3)
        except psycopg.OperationalError:
            yield None
            return
        with connection:
            server = cls(connection)
            try:
                yield server
            finally:
                for name in server.created:
                    connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def create(self, purpose):
        """Create an empty database and return its URL."""
        name = f"bench_{purpose}"
        self.connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        self.connection.execute(f"CREATE DATABASE {name}")
        self.created.append(name)
        return f"{SERVER}/{name}"
