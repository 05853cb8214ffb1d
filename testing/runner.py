"""The test runner of `manage.py test`."""

from pathlib import Path

from django.test.runner import DiscoverRunner


class Runner(DiscoverRunner):
    """Django's, which copies a SQLite file for each parallel process without what is in its WAL."""

    def setup_databases(self, **kwargs):
        processes, self.parallel = self.parallel, 0
        databases = super().setup_databases(**kwargs)
        self.parallel = processes
        for connection, _, _ in databases if processes > 1 else []:
            connection.close()  # SQLite then writes its WAL into the file
            for suffix in map(str, range(1, processes + 1)):
                connection.creation.clone_test_db(suffix, self.verbosity, keepdb=self.keepdb)
                if connection.vendor == "sqlite" and not self.keepdb:
                    # That of a run which was killed would be taken for the copy's.
                    name = connection.creation.get_test_db_clone_settings(suffix)["NAME"]
                    Path(f"{name}-wal").unlink(missing_ok=True)
        return databases
