"""
How gunicorn serves the site. Started in this folder, it reads this file by itself.

A site that could not answer does not start, and says why in one line.
"""

import os
import sys

import django
import gunicorn
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connection

from blog_project.health import NotReady, check_database

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "blog_project.settings")

try:
    django.setup()
    check_database()
except (ImproperlyConfigured, NotReady) as error:
    sys.exit(f"Not started: {error}")
# The workers are forked off, and must not share a connection.
connection.close()
if connection.vendor == "postgresql":
    connection.close_pool()

wsgi_app = "blog_project.wsgi"
# For a proxy on this machine. Elsewhere: gunicorn --bind 0.0.0.0:8000
bind = f"127.0.0.1:{settings.PORT}"
workers = settings.WEB_CONCURRENCY
worker_class = "gthread"
threads = settings.THREADS
# Loaded once, above, and shared by the workers. To load new code, restart: SIGHUP does not.
preload_app = True
# A proxy keeps its connections for about a minute, and must not find one closed.
keepalive = 75  # seconds
# SIGTERM lets a request end that is under way, a login that waits in a queue too.
graceful_timeout = 30  # seconds
# Whether HTTPS was used is what SECURE_PROXY_SSL is for, not for a header from this machine.
forwarded_allow_ips = ""
# What the Server header says: nothing, to whoever looks for sites with this server's next hole.
gunicorn.SERVER = ""
# A socket that takes commands, which nobody here sends.
control_socket_disable = True
