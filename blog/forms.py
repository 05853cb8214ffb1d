"""What members fill in."""

from django import forms

from blog.markdown import MAX_LENGTH
from blog.models import Post

MARKDOWN_HELP = (
    "Markdown: *slanted*, **bold**, [a link](https://example.com), > quoted, - listed, `code`;"
    f" an empty line begins a paragraph. At most {MAX_LENGTH:,} characters."
)
PLAIN_HELP = "Plain text. An empty line begins a paragraph."


class PostForm(forms.ModelForm):
    class Meta:
        model = Post
        fields = ["title", "content"]
        widgets = {"content": forms.Textarea(attrs={"rows": 14})}

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        content = self.fields["content"]
        content.strip = False  # four blanks before the first word make it code
        content.help_text = MARKDOWN_HELP if self.instance.is_markdown else PLAIN_HELP
