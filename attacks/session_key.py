"""
A session key from the database or from a look-up in the admin.

A backup that lies about, an SQL injection elsewhere, a look-up in the admin that finds a session
letter by letter: where the table names the session as the cookie does, its reader is everybody who
is logged in. Here the table has a digest of the key, from which no way leads back. The tutorial's
app has no such table: its cookie says it all, and is signed.

CWE-312: a secret stored as it is.
"""

from urllib.parse import quote

from attacks import HOLDS, NONE, THROUGH, Seen

LOOK_UPS = [
    "/admin/users/user/?sessions__session_key__startswith=a",
    "/admin/users/user/?sessions__session_data__startswith=a",
    "/admin/users/user/?authenticatorapps__secret__startswith=g",
    "/admin/users/user/?password__startswith=b",
    "/admin/users/securityevent/?user__password__startswith=b",
    "/admin/users/securityevent/?user__sessions__session_key__startswith=a",
]
MAY_VIEW = """
from django.contrib.auth.models import Permission
names = ["view_user", "view_securityevent"]
user.user_permissions.set(Permission.objects.filter(codename__in=names))
"""


def attack(target):
    if target.name == "flask":
        return Seen(NONE)
    target.logged_in(target.member())
    table = "users_session" if target.ours else "django_session"
    keys = target.rows(f"SELECT session_key FROM {table} ORDER BY expire_date DESC LIMIT 20")
    inside = 0
    for (key,) in keys:
        thief = target.stranger()
        thief.cookies["sessionid"] = quote(key)
        inside += target.is_in(thief)
    what = f"{inside} of {len(keys)} rows log in"
    found = 0
    if target.ours:
        found = look_up(target)
        what += f", {found} of {len(LOOK_UPS)} look-ups of staff answered"
    return Seen(THROUGH if inside or found else HOLDS, what)


def look_up(target):
    """Return how many of the LOOK_UPS are answered to staff who may look at users and events."""
    email, staff = target.member(), target.stranger()
    app, _ = target.give_factors(email, staff=True, more=MAY_VIEW)
    target.log_in(staff, email)
    target.give_code(staff, app())
    if staff.get("/admin/users/user/?is_staff__exact=1").status != 200:
        raise RuntimeError("Staff cannot look at users.")
    return sum(staff.get(path).status == 200 for path in LOOK_UPS)
