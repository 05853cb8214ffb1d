"""What a web server runs: `blog_project.wsgi:application`."""

import os
import re

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "blog_project.settings")


def utf_8_alone(application):
    """
    Return the WSGI `application` as one that never hears which encoding a request claims.

    Browsers send UTF-8 and do not say so. To decode in whichever of Python's codecs a stranger
    names is an error before Django has a page for it ("hex"), or takes minutes ("punycode").
    """

    def wrapped(environ, start_response):
        content_type = environ.get("CONTENT_TYPE", "")
        if not re.fullmatch(r"multipart/form-data; *boundary=[^;]+", content_type):
            environ["CONTENT_TYPE"] = content_type.partition(";")[0]
        return application(environ, start_response)

    return wrapped


application = utf_8_alone(get_wsgi_application())
