"""Read posts, however many there are; write, change and delete your own."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.contrib.messages.views import SuccessMessageMixin
from django.core.exceptions import PermissionDenied
from django.core.paginator import EmptyPage, Page, Paginator
from django.db import connection
from django.db.models import F, Q
from django.db.models.expressions import RawSQL
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import reverse_lazy
from django.views.generic import (
    CreateView,
    DeleteView,
    DetailView,
    ListView,
    MonthArchiveView,
    UpdateView,
)

from users.models import Kind, User
from users.throttle import POST_LIMITS, attempt
from users.usernames import fold_username
from users.views.account import DeletedConcurrentlyMixin

from .forms import PostForm
from .models import Post

POST_CREATED = "Your post has been created!"
POST_UPDATED = "Your post has been updated!"
POST_DELETED = "Your post has been deleted!"
SESSION_OVER = "You are no longer logged in, and nothing has been saved."
STAFF_POST = "Only staff write posts here."
NOT_YOURS = "That is somebody else's post."


# The same for every page: to write this SQL takes Django far longer than the database to answer.
LATEST = Post.objects.visible().values_list("pk", "title")[:5].query.sql_with_params()


def latest_posts():
    """Return the numbers and titles of the newest posts, as pairs."""
    with connection.cursor() as cursor:
        cursor.execute(*LATEST)
        return cursor.fetchall()


def sidebar(request):
    """Context processor: the newest posts, for the sidebar. Only a page that shows them asks."""
    return {"latest_posts": latest_posts}


# Reading


class PostPage(Page):
    """A page of a list, and the name of its cached HTML."""

    @property
    def shown(self):
        """All that a list shows of each post: what is missing here would be shown as it was."""
        return [
            (post.pk, post.title, post.date_posted, post.excerpt, post.has_more)
            + (post.username, post.picture)
            for post in self
        ]

    @property
    def posts(self):
        """The posts, each with what a list shows of its author, and no more."""
        for post in self:
            post.author = User(post.author_id, username=post.username, picture=post.picture)
            yield post


# Written once, as LATEST is. What finds the posts of a page is put in the place of KEYS.
LISTED, LISTED_PARAMS = (
    Post.objects.filter(pk__in=RawSQL("KEYS", []))
    .values(
        *["id", "title", "date_posted", "excerpt", "author_id"],
        has_more=~Q(rest=""),
        username=F("author__username"),
        picture=F("author__picture"),
    )
    .query.sql_with_params()
)


class PostPaginator(Paginator):
    """
    Django's paginator, without a count: it knows whether there is one page more, not how many.

    To count a million posts takes far longer than to read ten of them.
    """

    MAX_PAGES = 1_000  # each skips all before it, and nobody reads that far
    num_pages = MAX_PAGES  # until a page is read; "?page=last" is not found

    def page(self, number):
        number = self.validate_number(number)
        start = (number - 1) * self.per_page
        # Found and skipped on the index alone; only those that are shown are read.
        keys = self.object_list.values("pk")[start : start + self.per_page + 1]
        found, params = keys.query.sql_with_params()
        posts = [*Post.objects.raw(LISTED.replace("KEYS", found), [*LISTED_PARAMS, *params])]
        if not posts and number > 1:
            raise EmptyPage(self.error_messages["no_results"])
        self.num_pages = min(number + (len(posts) > self.per_page), self.MAX_PAGES)
        return PostPage(posts[: self.per_page], number, self)


class PostListMixin:
    """View mixin for pages of posts, newest first."""

    queryset = Post.objects.visible()
    paginator_class = PostPaginator
    paginate_by = 10


class HomeView(PostListMixin, ListView):
    template_name = "blog/home.html"


class AnnouncementsView(PostListMixin, ListView):
    queryset = PostListMixin.queryset.filter(is_announcement=True)
    template_name = "blog/announcements.html"


class AuthorView(PostListMixin, ListView):
    template_name = "blog/author.html"

    def get_queryset(self):
        name = fold_username(self.kwargs["username"])
        if "\0" in name:
            raise Http404  # PostgreSQL cannot even look it up
        authors = User.objects.only("username", "picture", "about", "date_joined")
        # Whose there is none is looked for like anybody's: a 404 must not tell who is a member.
        self.author = authors.filter(username_folded=name).first() or User(pk=0)
        return super().get_queryset().filter(author=self.author)

    def get_context_data(self, **kwargs):
        context = super().get_context_data(author=self.author, **kwargs)
        if not context["page_obj"]:
            raise Http404
        return context


class ArchiveView(PostListMixin, MonthArchiveView):
    template_name = "blog/archive.html"
    date_field = "date_posted"
    month_format = "%m"
    allow_empty = True  # so that the months before and after need no query

    def get_date_list(self, *args, **kwargs):
        return ()  # of days


class PostView(DetailView):
    queryset = Post.objects.select_related("author").only(
        *["title", "date_posted", "excerpt", "rest", "is_online"],
        *[f"author__{name}" for name in ["username", "picture", "is_active"]],
    )
    template_name = "blog/post.html"

    def get_object(self):
        post = super().get_object()
        visible = post.is_online and post.author.is_active
        if not visible and not may(self.request.user, "change", post):
            raise Http404
        return post

    def get_context_data(self, **kwargs):
        user, post = self.request.user, self.object
        may_change, may_delete = may(user, "change", post), may(user, "delete", post)
        return super().get_context_data(may_change=may_change, may_delete=may_delete, **kwargs)


# Writing


def may(user, action, post):
    """Return whether `user` may "change" or "delete" `post`: its author, or staff who may."""
    return user.pk == post.author_id or (user.is_staff and user.has_perm(f"blog.{action}_post"))


class MembersMixin(LoginRequiredMixin, DeletedConcurrentlyMixin):
    """View mixin for members. A text that somebody else sends comes back to be copied."""

    def handle_no_permission(self):
        if self.request.method == "POST":
            raise PermissionDenied(SESSION_OVER)  # not to the login page, which would lose it
        return super().handle_no_permission()


class WriteMixin(MembersMixin):
    """View mixin for the form of a post, with a preview."""

    form_class = PostForm
    template_name = "blog/post_form.html"

    def dispatch(self, request, *args, **kwargs):
        user = request.user
        confirmed = user.is_anonymous or user.email_confirmed_at
        if settings.CONFIRMED_EMAIL_TO_POST and not confirmed:
            return render(request, "blog/confirm_first.html", status=403)
        return super().dispatch(request, *args, **kwargs)

    def form_valid(self, form):
        if "preview" in self.request.POST:
            form.instance.render()
            return self.render_to_response(self.get_context_data(form=form, preview=form.instance))
        self.save(form.instance)
        messages.success(self.request, self.success_message)
        return redirect(form.instance)


class PostCreateView(WriteMixin, CreateView):
    success_message = POST_CREATED

    def dispatch(self, request, *args, **kwargs):
        user = request.user
        if settings.WHO_POSTS == "staff" and user.is_authenticated and not user.is_staff:
            raise PermissionDenied(STAFF_POST)
        return super().dispatch(request, *args, **kwargs)

    def save(self, post):
        post.author = user = self.request.user
        with attempt(self.request, POST_LIMITS, Kind.POST_CREATED, user.email, user):
            post.save()


class ChangeMixin:
    """View mixin for one post, which its author and some of the staff may change."""

    queryset = Post.objects.select_related("author")
    action = None

    def get_object(self):
        post = super().get_object()
        if not may(self.request.user, self.action, post):
            raise PermissionDenied(NOT_YOURS)
        return post


class PostUpdateView(WriteMixin, ChangeMixin, UpdateView):
    action = "change"
    success_message = POST_UPDATED

    def save(self, post):
        post.render()
        text = {name: getattr(post, name) for name in ["title", "content", *post.RENDERED]}
        # Nothing else: staff may have taken it offline meanwhile, or somebody deleted it.
        if not Post.objects.filter(pk=post.pk).update(**text):
            raise Http404


class PostDeleteView(MembersMixin, ChangeMixin, SuccessMessageMixin, DeleteView):
    action = "delete"
    template_name = "blog/post_delete.html"
    success_message = POST_DELETED
    success_url = reverse_lazy("home")
