from django.contrib import messages
from django.contrib.auth import views as auth_views
from django.contrib.auth.mixins import LoginRequiredMixin
from django.contrib.messages.views import SuccessMessageMixin
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse_lazy
from django.views.generic import CreateView, DetailView, ListView, UpdateView

from .forms import AccountForm, LoginForm, RegisterForm
from .models import Post, User


def sidebar(request):
    """Context processor: the newest posts."""
    return {"latest_posts": Post.objects.all()[:5]}


class HomeView(ListView):
    queryset = Post.objects.select_related("author")
    paginate_by = 10
    template_name = "home.html"

    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs)
        page = context["page_obj"]
        context["page_range"] = page.paginator.get_elided_page_range(
            page.number, on_each_side=1, on_ends=1
        )
        return context


class AuthorView(HomeView):
    template_name = "author.html"

    def get_queryset(self):
        self.author = get_object_or_404(User, username=self.kwargs["username"])
        return super().get_queryset().filter(author=self.author)

    def get_context_data(self, **kwargs):
        return super().get_context_data(author=self.author, **kwargs)


class PostView(DetailView):
    model = Post
    template_name = "post.html"


class RegisterView(SuccessMessageMixin, CreateView):
    form_class = RegisterForm
    template_name = "register.html"
    success_url = reverse_lazy("login")
    success_message = "Your account has been created! You are now able to log in"

    def dispatch(self, request, *args, **kwargs):
        if request.user.is_authenticated:
            return redirect("home")
        return super().dispatch(request, *args, **kwargs)


class LoginView(auth_views.LoginView):
    form_class = LoginForm
    redirect_authenticated_user = True

    def get(self, request, *args, **kwargs):
        if "next" in request.GET:
            messages.info(request, "Please log in to access this page.")
        return super().get(request, *args, **kwargs)

    def form_valid(self, form):
        response = super().form_valid(form)
        if not form.cleaned_data["remember"]:
            self.request.session.set_expiry(0)  # until the browser closes
        return response


class AccountView(LoginRequiredMixin, SuccessMessageMixin, UpdateView):
    form_class = AccountForm
    template_name = "account.html"
    success_url = reverse_lazy("account")
    success_message = "Your account has been updated."

    def get_object(self):
        return self.request.user
