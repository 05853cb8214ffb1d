"""The frame of the import commands."""

from tempfile import SpooledTemporaryFile, TemporaryDirectory

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, transaction

from .importer import CLASHES, HERE, NEW
from .pictures import Pictures
from .report import Clashes, printable
from .sources import private_copy

TABLE_IN_MEMORY = 2**20  # bytes


class ImportCommand(BaseCommand):
    """Imports a source: checks all of it, lists what clashes, and writes all or nothing."""

    source_class = None
    path_help = None  # for the argument that names the source's file

    def add_arguments(self, parser):
        parser.add_argument("path", help=self.path_help)
        parser.add_argument("--dry-run", action="store_true", help="only says what it would do")
        parser.add_argument(
            "--skip-clashes", action="store_true", help="imports the rows that do not clash"
        )

    def importers(self, source, clashes, pictures, **options):
        """Return the importers of `source`, in the order in which they write."""
        raise NotImplementedError

    def handle(self, *, path, dry_run, skip_clashes, **options):
        with (
            TemporaryDirectory() as folder,
            SpooledTemporaryFile(TABLE_IN_MEMORY, "w+", encoding="utf-8") as table,
            self.source_class(private_copy(path, folder)) as source,
        ):
            if left_out := source.left_out():
                self.stdout.write(f"Left out, unknown here: {printable(left_out)}.")
            clashes = Clashes(table)
            pictures = Pictures(options.pop("pictures", None), folder)
            importers = self.importers(source, clashes, pictures, **options)
            for importer in importers:
                importer.check()
            self.refuse(clashes, skip_clashes)
            if not dry_run:
                self.write(importers, pictures)
            self.sum_up(importers, pictures, "to import" if dry_run else "imported")

    def refuse(self, clashes, skip_clashes):
        """Print what clashes; raise CommandError unless it is to be skipped."""
        if clashes.count:
            for line in clashes.lines():
                self.stderr.write(line, str)  # not all in red
            if not skip_clashes:
                raise CommandError(
                    f"Clashes: {clashes.count}. Nothing was imported. With --skip-clashes,"
                    " everything else is."
                )

    def write(self, importers, pictures):
        """Write what is new, or nothing."""
        try:
            with transaction.atomic():
                for importer in importers:
                    importer.write()
        except BaseException as error:
            pictures.take_back()
            if isinstance(error, DatabaseError):
                raise CommandError(
                    f"Nothing was imported. The database says: {error}. If somebody registered or"
                    " was deleted at the same time, run it again."
                ) from error
            raise

    def sum_up(self, importers, pictures, done):
        """Print what was done, or would be, and what was not."""
        for importer in importers:
            new, here, skipped = map(importer.verdicts.count, (NEW, HERE, CLASHES))
            self.stdout.write(
                f"{importer.table.capitalize()}s: {new} {done}, {here} already here,"
                f" {skipped} skipped."
            )
        if pictures.path is not None:
            self.stdout.write(
                f"Pictures: {len(pictures.prepared)} {done}, {pictures.refused} skipped."
            )
        if pictures.left:
            self.stdout.write(
                f"Pictures: {pictures.left} not taken along, for which there is --pictures."
            )
