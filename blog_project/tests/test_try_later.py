from datetime import timedelta
from unittest.mock import patch

from blog.views import HomeView
from blog_project.errors import RetryLater
from testing.cast import CastTestCase
from users.throttle import Throttled


class TryLaterPage(CastTestCase):
    def answer(self, error):
        with patch.object(HomeView, "get", side_effect=error):
            return self.client.get("/")

    def test_says_how_many_minutes_are_left_and_never_none(self):
        for seconds, header, words in [
            (0.2, "1", "in 1 minute,"),
            (60, "60", "in 1 minute,"),
            (60.5, "61", "in 2 minutes,"),
            (24 * 3600, "86400", "in 1440 minutes (24 hours),"),
            (-1, "1", "in 1 minute,"),
        ]:
            with self.subTest(seconds):
                response = self.answer(Throttled(timedelta(seconds=seconds), []))
                self.assertContains(response, words, status_code=429)
                self.assertEqual(response["Retry-After"], header)

    def test_what_is_busy_is_a_503(self):
        response = self.answer(RetryLater(timedelta(seconds=10)))
        self.assertContains(response, "Very Busy", status_code=503)
        self.assertEqual(response["Retry-After"], "10")

    def test_other_errors_stay_what_they_are(self):
        with self.assertRaisesMessage(ValueError, "oh"):
            self.answer(ValueError("oh"))
