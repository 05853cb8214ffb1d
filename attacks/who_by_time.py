"""
Who has an account, by time.

`if user and bcrypt.check_password_hash(…)` hashes only if there is a user: a quarter of a second
says that there is one, and no time says that there is none. A reset that sends a mail only to
members tells in the same way. So an unknown email has to cost the same hash, and the same mail.

CWE-208: the time tells.
"""

import statistics

from attacks import HOLDS, THROUGH, Seen

READINGS = 10
TELLS = 0.9  # of pairs of a known and an unknown email, how many come in one order; 0.5 is chance


def attack(target):
    forms = {"login": lambda client, email: target.log_in(client, email, "a wrong one")}
    if "reset" in target.has:
        forms["reset"] = target.ask_reset
    costs, seconds = {}, {}
    for form, ask in forms.items():
        for number in range(READINGS):
            # In turns, for whatever else the machine does meanwhile.
            for known in ["known", "unknown"]:
                unknown = f"no{form}{number}@example.com"
                email = target.member() if known == "known" else unknown
                before = target.hashes()
                answer = ask(target.stranger(), email)
                seconds.setdefault((form, known), []).append(answer.seconds)
                cost = target.hashes() - before, len(target.mails(email))
                costs.setdefault((form, known), set()).add(cost)
    telling = [form for form in forms if costs[form, "known"] != costs[form, "unknown"]]
    words = [
        f"{form}: {spent(costs[form, 'known'])} for a known email,"
        f" {spent(costs[form, 'unknown'])} for another"
        for form in forms
    ]
    return Seen(THROUGH if telling else HOLDS, "; ".join(words), seconds)


def spent(costs):
    return " or ".join(
        f"{hashes} hash{'es' * (hashes != 1)}, {mails} mail{'s' * (mails != 1)}"
        for hashes, mails in sorted(costs)
    )


def judge(seen):
    telling, words = seen.verdict == THROUGH, []
    for form in dict.fromkeys(form for form, _ in seen.seconds):
        known, unknown = seen.seconds[form, "known"], seen.seconds[form, "unknown"]
        later = statistics.mean(one > other for one in known for other in unknown)
        telling |= not 1 - TELLS < later < TELLS
        words.append(
            f"{form} {spread(known)} and {spread(unknown)}, known later in {later:.0%} of pairs"
        )
    return seen._replace(verdict=THROUGH if telling else HOLDS, what="; ".join(words))


def spread(seconds):
    low, middle, high = (part * 1000 for part in statistics.quantiles(seconds, n=4))
    return f"{middle:.0f} ms ({low:.0f} to {high:.0f})"
