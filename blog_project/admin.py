"""What the admin of every model shares."""

from django.db.models.constants import LOOKUP_SEP

# What Django's filters of booleans, choices and dates ask for, and its date hierarchy.
FILTERS = ["exact", "isnull", "gte", "lt"]
DATES = ["year", "month", "day"]


class ListedLookupsMixin:
    """
    ModelAdmin mixin: a list is looked up by `list_filter`, `date_hierarchy` and `lookups` alone.

    Django allows every column of the model and every key of what is related to it. Letter by
    letter, whoever may only look reads so what no page shows: names of sessions, of pictures.
    """

    lookups = ()  # others that are linked to, in full; a filter over a relation needs its own here

    def lookup_allowed(self, lookup, value, request):
        field, _, kind = lookup.rpartition(LOOKUP_SEP)
        return (
            lookup in self.lookups
            or (field in self.get_list_filter(request) and kind in FILTERS)
            or (field == self.date_hierarchy and kind in DATES)
        )
