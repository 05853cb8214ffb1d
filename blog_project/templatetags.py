"""Template tags of the whole site, in every template without {% load %}."""

from django.template import Library, defaulttags
from django.utils.html import conditional_escape

from blog_project.links import cached_reverse

register = Library()


@register.simple_block_tag
def capture(content):
    """Name what is between the tags: {% capture as title %}…{% endcapture %}."""
    return content


class URLNode(defaulttags.URLNode):
    def render(self, context):
        name = self.view_name.resolve(context)
        # The admin's, with a colon, depend on which admin shows the page.
        if self.kwargs or self.asvar or ":" in name or not context.autoescape:
            return super().render(context)
        args = [arg.resolve(context) for arg in self.args]
        return conditional_escape(cached_reverse(name, *args))


@register.tag
def url(parser, token):
    """Django's {% url %}; what was asked for before is not looked up again."""
    node = defaulttags.url(parser, token)
    return URLNode(node.view_name, node.args, node.kwargs, node.asvar)
