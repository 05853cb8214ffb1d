"""
A stock Django app, for the benchmark to run beside the site.

The same blog and accounts, as `startproject` and the guides have them: the default settings,
middleware and sessions, SQLite without options, Django's own views and forms, drawn by crispy
forms. Its lists show excerpts and its sidebar the newest posts, as on the site. The one deviation
is bcrypt_sha256 (cost 12) as the first password hasher. Settings and app, two packages in the
guides, are one here.

    DATABASE=site.sqlite3 python -m bench.stock_peer.seed --users 1 --posts 10
    DATABASE=site.sqlite3 gunicorn -w 2 bench.stock_peer.wsgi

DATABASE is the path of the SQLite file, MAILS that of the folder for mails. The URLs end in a
slash. Forms are posted with the `csrfmiddlewaretoken` of their page, and these fields:

    /login/      username (the e-mail), password, remember ("on", or left out)
    /register/   username, email, password1, password2
    /account/    username, email
    /logout/     nothing else: the form is in the navigation bar
    /password_reset/, /password_change/, /reset/   as django.contrib.auth.urls has them

Style sheets, scripts and pictures are linked as on the site but not served, as Django does not
without DEBUG, because only pages are measured.
"""
