from django.views.generic import ListView

from .models import Post
from .paginator import PostPaginator


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
