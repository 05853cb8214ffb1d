"""URLs that are the same in every request: each is looked up once."""

from functools import cache, lru_cache

from django.urls import get_resolver, get_script_prefix, reverse
from whitenoise.storage import CompressedManifestStaticFilesStorage


class ManifestStaticFilesStorage(CompressedManifestStaticFilesStorage):
    """WhiteNoise's storage, which works out the URL of each file once."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.url = cache(self.url)  # its own: with other settings Django makes another storage


def cached_reverse(name, *args):
    """
    Return the URL of the view `name`, as Django's `reverse` does, for texts and numbers `args`.

    Not for a `name` that means something else in another application, nor for URLs that are
    translated, or a single request's own (its `urlconf`).
    """
    # With other URLs Django makes another resolver.
    return reverse_once(get_resolver(), get_script_prefix(), name, *args)


@lru_cache(maxsize=1_000, typed=True)
def reverse_once(resolver, prefix, name, *args):
    return reverse(name, args=args)
