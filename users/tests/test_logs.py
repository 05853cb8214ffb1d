import logging

from django.test import SimpleTestCase

from users.logs import HideTokens


class HideTokensInLogs(SimpleTestCase):
    def logged(self, message, *args):
        record = logging.LogRecord("django.server", logging.INFO, "", 0, message, args, None)
        self.assertTrue(HideTokens().filter(record))
        return record.getMessage()

    def test_tokens_of_links_are_left_out(self):
        for path, seen in [
            ("/password-reset/MQ/abc-123/", "/password-reset/MQ/…/"),
            ("/account/email/confirm/WzEs:abc:def/", "/account/email/confirm/…/"),
        ]:
            self.assertEqual(
                self.logged('"%s" %s', f"GET {path} HTTP", 200), f'"GET {seen} HTTP" 200'
            )

    def test_everything_else_stays(self):
        for message in ["GET /password-reset/done/", "GET /account/email/", "100 % of it"]:
            self.assertEqual(self.logged(message), message)
