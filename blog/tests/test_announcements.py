from blog.models import Post
from testing.cast import CastTestCase


class AnnouncementsGet(CastTestCase):
    def test_lists_what_staff_marked(self):
        for title, marked in [("Marked", True), ("Other", False)]:
            Post.objects.create(
                author=self.alice, title=title, content=f"Text: {title}", is_announcement=marked
            )
        response = self.client.get("/announcements/")
        self.assertContains(response, "Text: Marked")
        self.assertNotContains(response, "Text: Other")

    def test_none_yet(self):
        self.assertContains(self.client.get("/announcements/"), "Nothing has been announced.")
