"""Pages of posts, however many there are."""

from django.core.paginator import EmptyPage, Paginator
from django.views.generic import ListView

from .models import Post


class PostPaginator(Paginator):
    """
    Django's paginator, without a count: it knows whether there is one page more, not how many.

    To count a million posts takes far longer than to read ten of them.
    """

    # Until a page is read: no database skips more posts than that. "?page=last" is not found.
    num_pages = 1_000_000_000

    def page(self, number):
        number = self.validate_number(number)
        start = (number - 1) * self.per_page
        posts = self.object_list[start : start + self.per_page + 1]
        if start:  # skipped on the index alone, and only those that are shown are read
            posts = self.object_list.filter(pk__in=posts.values("pk"))
        posts = list(posts)
        if not posts and number > 1:
            raise EmptyPage(self.error_messages["no_results"])
        self.num_pages = number + (len(posts) > self.per_page)
        return self._get_page(posts[: self.per_page], number, self)


class HomeView(ListView):
    queryset = Post.objects.select_related("author").only(
        "title", "content", "date_posted", "author__username", "author__picture"
    )
    paginator_class = PostPaginator
    paginate_by = 10
    template_name = "blog/home.html"

    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs)
        page = context["page_obj"]
        context["page_range"] = page.paginator.get_elided_page_range(
            page.number, on_each_side=1, on_ends=1
        )
        return context
