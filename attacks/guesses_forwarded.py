"""
Guesses at one account with a forged X-Forwarded-For.

A proxy tells the site in this header from which IP a visitor came. Whoever writes another one into
it with each guess seems to come from elsewhere each time, if the site takes the first entry, as
many examples do: then a limit per place never ends anything. Only the entry that one's own proxy
has added is to be trusted.

CWE-348: a less trusted source is believed.
"""

from attacks import guesses


def attack(target):
    email, place = target.member(), target.place()
    forged = [
        (f"203.0.113.{number}, {place}", email) for number in range(target.tries(guesses.GUESSES))
    ]
    return guesses.verdict(target.guess(forged), guesses.LIMIT)


judge = guesses.judge
