"""
Guesses with many emails from one place.

With a hundred emails and the one password that somebody is sure to have, no account is guessed at
twice, and a limit per account never counts to ten (password spraying). It takes a limit per place.

CWE-307: authentication attempts without a limit.
"""

from attacks import guesses

LIMIT = 100


def attack(target):
    place = target.place()
    number = target.tries(LIMIT + 20)
    return guesses.verdict(
        target.guess([(place, f"user{index % 100}@example.com") for index in range(number)]),
        LIMIT,
    )


judge = guesses.judge
