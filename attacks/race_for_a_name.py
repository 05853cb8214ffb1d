"""
A race for one username.

Many people sign up with one name at the same moment. `validate_username` looks whether it is taken,
and a quarter of a second later, when the password is hashed, the row is written: in between, others
have looked as well. The unique column lets one of them through, and what the others see is an error
of the database that nobody expected: a 500. Without that column there would be two of the name.

CWE-362: a race condition.
"""

from attacks import HOLDS, THROUGH, Seen
from testing.client import at_once

CLIENTS = 12


def attack(target):
    clients = [target.stranger() for _ in range(CLIENTS)]
    for client in clients:
        client.read_form(f"/register{target.slash}")

    def sign_up(index):
        who = {"username": "racer", "email": f"racer{index}@example.com"}
        return target.register(clients[index], **who).status

    statuses = at_once(CLIENTS, sign_up)
    ((rows,),) = target.rows("SELECT count(*) FROM {users} WHERE username = 'racer'")
    errors = sum(status >= 500 for status in statuses)
    held = rows == 1 and not errors and statuses.count(302) == 1
    return Seen(HOLDS if held else THROUGH, f"{rows} row, {errors} × 5xx of {CLIENTS}")
