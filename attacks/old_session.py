"""
A session after its password has changed.

She has noticed something and does what everybody advises. Where a session holds the number of the
user and nothing else, as Flask-Login's does, it has never heard of the password: the thief stays
until the cookie ends. Django's holds a digest of the password's hash as well.

CWE-613: a session that does not end.
"""

import bcrypt

from attacks import HOLDS, THROUGH, Seen
from attacks.target import NEW_PASSWORD


def attack(target):
    email = target.member()
    owner, thief = target.logged_in(email), target.logged_in(email)
    if "change" in target.has:
        path = "/account/password/" if target.ours else "/password_change/"
        owner.read_form(path)
        new = {"new_password1": NEW_PASSWORD, "new_password2": NEW_PASSWORD}
        owner.post(path, old_password="correct horse battery", **new)
        how = "by the member"
    else:  # no page for it: whoever runs the site writes it into the database
        encoded = bcrypt.hashpw(NEW_PASSWORD.encode(), bcrypt.gensalt(12)).decode()
        target.rows("UPDATE {users} SET password = ? WHERE email = ?", encoded, email)
        how = "in the database, for want of a page"
    inside = target.is_in(thief)
    target.logged_in(email, NEW_PASSWORD)
    return Seen(
        THROUGH if inside else HOLDS,
        f"changed {how}: the session {'goes on' if inside else 'is over'}",
    )
