"""What the site and its peers are filled with: the same people, the same posts."""

import argparse
from datetime import UTC, datetime, timedelta

PASSWORD = "correct horse battery"

WRITERS = 10  # so that the posts of each of them fill a page, as the newest ones do
PARTS = 3  # how often a text is repeated: longer than what a list shows of it

# Fixed, so that a page has the same bytes whenever it is measured.
FIRST_POSTED = datetime(2026, 1, 1, 12, tzinfo=UTC)

TEXTS = [
    (
        "What becomes of a password",
        "Nobody keeps it, not even the people who run the site. What is kept is a hash, and it"
        " takes a good quarter of a second to make, which is nothing to you and a lifetime to a"
        " thief.\n\n"
        "Hash one password twice and the two look nothing alike. Ask whether either of them is"
        " yours, and both say yes.",
    ),
    (
        "Notes from a quiet week",
        "Three small things were put right, and one big thing was left for another day. If a page"
        " looks odd to you, please say so, and tell what you did just before.\n\n"
        'It\'s the reports that begin with "I was only going to" that have taught this site the'
        " most, so don't be shy.",
    ),
    (
        "How to read this blog",
        "The newest post stands on top, and ten of them make a page. Older ones are a click away,"
        " at the bottom, where they have been waiting in the order in which they were written.\n\n"
        "Members have a page of their own as well. Everybody is welcome to become one, it takes a"
        " minute.",
    ),
]


def read_options(program):
    """Return the options of the command line, `users` and `posts`, for `python -m program`."""
    parser = argparse.ArgumentParser(
        prog=f"python -m {program}",
        description="Makes the tables and fills them. Meant for a new database.",
    )
    parser.add_argument("--users", type=int, default=1, help="how many can log in (1)")
    parser.add_argument("--posts", type=int, default=10, help="how many there are to read (10)")
    options = parser.parse_args()
    if options.users < 1 or options.posts < 0:
        parser.error("at least one user, who writes the posts")
    return options


def people(count):
    """Return the username and e-mail of `count` people: user0, user0@example.com and so on."""
    return [(f"user{number}", f"user{number}@example.com") for number in range(count)]


def posts(count, authors):
    """
    Return author, title, text and time (aware, in UTC) of `count` posts, the oldest first.

    They are an hour apart. The first WRITERS of `authors` take turns.
    """
    dated = []
    for number in range(count):
        title, text = TEXTS[number % len(TEXTS)]
        author = authors[:WRITERS][number % min(len(authors), WRITERS)]
        posted = FIRST_POSTED + timedelta(hours=number)
        dated.append((author, title, "\n\n".join([text] * PARTS), posted))
    return dated
