import json
import logging

from django.conf import settings
from django.test import SimpleTestCase

from users.logs import HideTokens, HideTokensServer


class HideTokensInLogs(SimpleTestCase):
    def logged(self, message, *args):
        record = logging.LogRecord("django.server", logging.INFO, "", 0, message, args, None)
        return HideTokens().format(record)

    def test_tokens_of_links_are_left_out(self):
        for path, seen in [
            ("/password-reset/MQ/abc-123/", "/password-reset/MQ/…/"),
            ("/account/email/confirm/WzEs:abc:def/", "/account/email/confirm/…/"),
            ("/account/recover/WzEs:abc:def/", "/account/recover/…/"),
        ]:
            self.assertEqual(
                self.logged('"%s" %s', f"GET {path} HTTP", 200), f'"GET {seen} HTTP" 200'
            )

    def test_everything_else_stays(self):
        for message in ["GET /password-reset/done/", "GET /account/email/", "100 % of it"]:
            self.assertEqual(self.logged(message), message)

    def test_lines_of_json_stay_json(self):
        for typed in ["/password-reset/a/b", '/password-reset/a/b"c', "/password-reset/a/b\\c"]:
            with self.subTest(typed):
                line = self.logged("%s", json.dumps({"address": typed, "ip": "192.0.2.1"}))
                self.assertEqual(json.loads(line)["ip"], "192.0.2.1")

    def test_tokens_in_tracebacks_are_left_out(self):
        error = ValueError("at /account/email/confirm/WzEs:abc/")
        info = (ValueError, error, None)
        record = logging.LogRecord("django", logging.ERROR, "", 0, "Oh", (), info)
        self.assertNotIn("WzEs", HideTokens().format(record))

    def test_every_handler_uses_it(self):
        formatters = settings.LOGGING["formatters"]
        for name, handler in settings.LOGGING["handlers"].items():
            self.assertIn("users.logs.HideTokens", formatters[handler["formatter"]]["()"], name)
        record = logging.LogRecord("x", logging.INFO, "", 0, "/password-reset/MQ/a-b/", (), None)
        record.server_time = "now"
        line = HideTokensServer("[{server_time}] {message}", style="{").format(record)
        self.assertEqual(line, "[now] /password-reset/MQ/…/")
