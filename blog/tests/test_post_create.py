import re
from unittest.mock import patch

from django.db import OperationalError
from django.test import Client, override_settings
from django.utils import timezone

from blog.models import BLANK, Post
from testing.cast import CastTestCase
from users.models import Kind, SecurityEvent, User

TEXT = {"title": "A <title>", "content": "Some *text*\nof mine & <b>yours</b>"}
SHOWN_AGAIN = "Some *text*\nof mine &amp; &lt;b&gt;yours&lt;/b&gt;</textarea>"


class CreateTestCase(CastTestCase):
    def setUp(self):
        self.client.force_login(self.alice)

    def create(self, **data):
        return self.client.post("/post/new/", {**TEXT, **data}, follow=True)

    def errors(self, **data):
        """Return the errors of the form that comes back with all that was sent."""
        response = self.create(**data)
        self.assertFalse(Post.objects.exists())
        self.assertEqual(response.context["form"]["content"].value(), {**TEXT, **data}["content"])
        return response.context["form"].errors


class PostCreateGet(CreateTestCase):
    def test_form_in_the_words_of_the_tutorial(self):
        response = self.client.get("/post/new/")
        self.assertContains(response, "<legend><h1>New Post</h1></legend>", html=True)
        self.assertRegex(response.text, r'<button class="btn btn-steel" type="submit">Post<')

    def test_members_find_it_in_the_bar(self):
        link = '<a href="/post/new/">New Post</a>'
        self.assertContains(self.client.get("/"), link, html=True)
        self.client.logout()
        self.assertNotContains(self.client.get("/"), link, html=True)

    def test_strangers_are_sent_to_the_login_page(self):
        self.client.logout()
        self.assertRedirects(self.client.get("/post/new/"), "/login/?next=/post/new/")

    def test_no_browser_cuts_a_text_that_is_too_long(self):
        self.assertNotRegex(self.client.get("/post/new/").text, r"<textarea[^>]*maxlength")


class PostCreatePost(CreateTestCase):
    def test_post_is_stored_and_shown(self):
        response = self.create()
        post = Post.objects.get()
        self.assertRedirects(response, f"/post/{post.pk}/")
        self.assertContains(response, "Your post has been created!")
        self.assertContains(response, "Some <em>text</em>\nof mine &amp; &lt;b&gt;yours&lt;/b&gt;")
        self.assertEqual((post.author, post.title, post.content), (self.alice, *TEXT.values()))
        self.assertTrue(post.is_markdown)

    def test_nothing_but_title_and_content_is_taken(self):
        self.create(author=self.bob.pk, is_announcement="on", is_online="", date_posted="2001-1-1")
        post = Post.objects.get()
        self.assertEqual(post.author, self.alice)
        self.assertTrue(post.is_online)
        self.assertFalse(post.is_announcement)
        self.assertGreater(post.date_posted.year, 2001)

    def test_line_ends_of_browsers_count_once(self):
        self.create(content="1\r\n2" + "x" * 19_997)
        self.assertEqual(len(Post.objects.get().content), 20_000)

    def test_markup_that_shows_nothing_is_no_post(self):
        for content in ["[a]: b", "#", "[](/x)", "&nbsp;", "***"]:
            with self.subTest(content):
                response = self.client.post("/post/new/", {"title": "Title", "content": content})
                self.assertContains(response, BLANK)
        self.assertFalse(Post.objects.exists())

    def test_blanks_before_the_first_word_stay(self):
        self.assertContains(self.create(content="    code"), "<code>code")

    def test_title_or_text_that_shows_nothing(self):
        for blank in ["", " ", "\n\t", "\u200b", "\u3164\u2800", "\u202e", "\xa0"]:
            self.assertEqual([*self.errors(title=blank)], ["title"], ascii(blank))
            self.assertEqual([*self.errors(content=blank)], ["content"], ascii(blank))

    def test_title_or_text_that_no_database_takes(self):
        for name in TEXT:
            self.assertEqual([*self.errors(**{name: "a\0b"})], [name])

    def test_title_that_is_too_long(self):
        self.assertEqual([*self.errors(title="x" * 101)], ["title"])

    def test_text_that_is_too_long_or_has_too_much_markup(self):
        self.assertIn("this one has 20,001", str(self.errors(content="x" * 20_001)))
        self.assertIn("too much markup", str(self.errors(content="[" * 3_001)))

    def test_text_beyond_all_measure_is_told_where_it_still_is(self):
        for size in [200_001, 10_000_000]:
            response = self.create(content="x" * size)
            self.assertContains(response, "go back one page", status_code=400)
        self.assertFalse(Post.objects.exists())

    def test_whatever_letters_it_is_in_a_text_has_room(self):
        self.create(content="😀" * 20_000)
        self.assertEqual(len(Post.objects.get().content), 20_000)

    def test_marks_that_turn_the_direction_end_with_their_block(self):
        response = self.create(title="\u202eabc", content="\u202eabc")
        self.assertContains(response, '<h1 class="post-title">\u202eabc</h1>', html=True)
        self.assertContains(response, "<p>\u202eabc</p>", html=True)

    def test_bytes_that_are_no_letters(self):
        body = b"title=%ED%A0%80a&content=%FF%FEb"
        form_type = "application/x-www-form-urlencoded"
        response = self.client.post("/post/new/", body, content_type=form_type)
        self.assertEqual(response.status_code, 302)

    def test_member_whose_account_is_deleted_meanwhile(self):
        def delete(post):
            User.objects.filter(pk=self.alice.pk).delete()
            raise User.DoesNotExist

        with patch.object(Post, "save", delete):
            self.assertRedirects(self.client.post("/post/new/", TEXT), "/login/")


class Preview(CreateTestCase):
    def test_shows_what_it_will_look_like_and_stores_nothing(self):
        response = self.create(preview="")
        self.assertContains(response, '<h2 class="post-title">A &lt;title&gt;</h2>', html=True)
        self.assertContains(response, "Some <em>text</em>")
        self.assertContains(response, SHOWN_AGAIN)
        self.assertFalse(Post.objects.exists())
        self.assertFalse(SecurityEvent.objects.exists())

    def test_of_nothing_is_an_error(self):
        response = self.create(preview="", content="")
        self.assertEqual([*response.context["form"].errors], ["content"])
        self.assertNotContains(response, "Nothing is saved yet")


class Refused(CreateTestCase):
    def assertRefused(self, response, status):
        self.assertContains(response, SHOWN_AGAIN, status_code=status)
        self.assertContains(response, "A &lt;title&gt;", status_code=status)
        self.assertFalse(Post.objects.exists())

    def test_session_that_is_over(self):
        self.client.logout()
        response = self.create()
        self.assertRefused(response, 403)
        self.assertContains(response, '<a href="/login/" target="_blank">', status_code=403)
        self.assertContains(response, "You are no longer logged in", status_code=403)

    def test_form_of_another_session(self):
        strict = Client(enforce_csrf_checks=True)
        strict.force_login(self.alice)
        response = strict.post("/post/new/", TEXT)
        self.assertRefused(response, 403)
        self.assertNotContains(response, 'target="_blank"', status_code=403)

    @override_settings(POSTS_PER_MEMBER_PER_DAY=2)
    def test_more_than_the_limit(self):
        for _ in range(2):
            self.create()
        self.assertEqual(Post.objects.count(), 2)
        Post.objects.all().delete()  # which makes no room
        response = self.create()
        self.assertRefused(response, 429)
        self.assertContains(response, "(24 hours)", status_code=429)
        kinds = list(SecurityEvent.objects.values_list("kind", flat=True))
        self.assertEqual(kinds, [Kind.THROTTLED, Kind.POST_CREATED, Kind.POST_CREATED])
        self.assertIn("form", self.create(title="").context)  # what is no attempt counts for none
        self.client.force_login(self.bob)
        self.assertEqual(self.create().status_code, 200)

    def test_database_that_is_away(self):
        self.client.raise_request_exception = False
        for error, status in [(OperationalError("gone"), 503), (ValueError("oh"), 500)]:
            with patch.object(Post, "save", side_effect=error), self.assertLogs("django.request"):
                self.assertRefused(self.create(), status)

    def test_page_that_refuses_something_else_has_no_text(self):
        self.client.logout()
        response = self.client.post("/post/new/")
        self.assertNotContains(response, "<textarea", status_code=403)
        self.assertNotContains(self.client.get("/nope/"), "<textarea", status_code=404)


@override_settings(CONFIRMED_EMAIL_TO_POST=True)
class UnconfirmedEmail(CreateTestCase):
    def test_is_led_to_a_page_that_sends_the_link_again(self):
        response = self.client.get("/post/new/")
        self.assertContains(response, "Confirm your email first", status_code=403)
        self.assertContains(response, 'action="/account/email/send/"', status_code=403)

    def test_text_that_was_sent_comes_back(self):
        response = self.create()
        self.assertContains(response, SHOWN_AGAIN, status_code=403)
        self.assertFalse(Post.objects.exists())

    def test_changes_no_post_either(self):
        post = Post.objects.create(author=self.alice, title="T", content="C")
        response = self.client.post(f"/post/{post.pk}/update/", TEXT)
        self.assertEqual(response.status_code, 403)
        post.refresh_from_db()
        self.assertEqual(post.title, "T")

    def test_strangers_are_sent_to_the_login_page(self):
        self.client.logout()
        self.assertRedirects(self.client.get("/post/new/"), "/login/?next=/post/new/")

    def test_whoever_has_confirmed_it_writes(self):
        self.alice.email_confirmed_at = timezone.now()
        self.alice.save()
        self.assertContains(self.create(), "Your post has been created!")


class Text(CreateTestCase):
    def test_comes_back_as_it_was_sent(self):
        self.client.logout()
        page = self.create(content="</textarea><script>alert(1)</script>").text
        self.assertNotIn("<script>alert", page)
        self.assertEqual(len(re.findall("</textarea>", page)), 1)


@override_settings(WHO_POSTS="staff")
class ByStaffAlone(CreateTestCase):
    def test_members_neither_find_nor_use_it(self):
        self.assertNotContains(self.client.get("/"), "/post/new/")
        for answer in [self.client.get("/post/new/"), self.create()]:
            self.assertContains(answer, "Only staff write posts here.", status_code=403)
        self.assertFalse(Post.objects.exists())

    def test_staff_do(self):
        self.client.force_login(self.carol)
        self.assertContains(self.client.get("/"), 'href="/post/new/"')
        self.create()
        self.assertEqual(Post.objects.get().author, self.carol)

    def test_strangers_are_sent_to_the_login_page(self):
        self.client.logout()
        self.assertRedirects(self.client.get("/post/new/"), "/login/?next=/post/new/")
