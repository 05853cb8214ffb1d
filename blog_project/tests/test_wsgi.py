from io import BytesIO

from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.test import RequestFactory, SimpleTestCase

from blog_project import wsgi

CODECS = ["hex", "base64", "rot13", "undefined", "punycode", "no-such", "utf-16"]


class Utf8Alone(SimpleTestCase):
    def request(self, content_type, body=b""):
        """Return the request that Django gets for what a web server hands over."""
        environ = RequestFactory().get("/about/?x=é").environ
        environ.update(
            REQUEST_METHOD="POST",
            CONTENT_TYPE=content_type,
            CONTENT_LENGTH=str(len(body)),
            **{"wsgi.input": BytesIO(body)},
        )
        return wsgi.utf_8_alone(lambda environ, start_response: WSGIRequest(environ))(environ, None)

    def test_no_request_chooses_the_codec_of_its_address_and_form(self):
        for codec in CODECS:
            for parameter in [f"charset={codec}", f"charset*={codec}''x"]:
                with self.subTest(parameter):
                    form = f"application/x-www-form-urlencoded; {parameter}"
                    request = self.request(form, "y=ü".encode())
                    self.assertEqual((request.GET["x"], request.POST["y"]), ("é", "ü"))

    def test_no_request_chooses_the_codec_of_its_upload(self):
        body = '--xx\r\nContent-Disposition: form-data; name="y"\r\n\r\nü\r\n--xx--\r\n'.encode()
        self.assertEqual(self.request("multipart/form-data; boundary=xx", body).POST["y"], "ü")
        for codec in CODECS:
            with self.subTest(codec):
                content_type = f"multipart/form-data; boundary=xx; charset={codec}"
                request = self.request(content_type, body)
                self.assertIsNone(request.encoding)

    def test_it_stands_before_the_application(self):
        self.assertEqual(wsgi.application.__qualname__, "utf_8_alone.<locals>.wrapped")
        self.assertIsInstance(wsgi.application.__closure__[0].cell_contents, WSGIHandler)
