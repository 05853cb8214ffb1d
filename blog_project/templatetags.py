"""Template tags of the whole site, in every template without {% load %}."""

from functools import lru_cache

from django.template import Library, defaulttags
from django.utils.html import conditional_escape, format_html

from blog_project.links import cached_reverse

register = Library()


@register.simple_block_tag
def capture(content):
    """Name what is between the tags: {% capture as title %}…{% endcapture %}."""
    return content


escape_once = lru_cache(maxsize=1_000, typed=True)(conditional_escape)


class URLNode(defaulttags.URLNode):
    def render(self, context):
        name = self.view_name.resolve(context)
        # The admin's, with a colon, depend on which admin shows the page.
        if self.kwargs or self.asvar or ":" in name or not context.autoescape:
            return super().render(context)
        args = [arg.resolve(context) for arg in self.args]
        return escape_once(cached_reverse(name, *args))


@register.tag
def url(parser, token):
    """Django's {% url %}; what was asked for before is not looked up again."""
    node = defaulttags.url(parser, token)
    return URLNode(node.view_name, node.args, node.kwargs, node.asvar)


@register.simple_tag(takes_context=True)
def nav_link(context, name, label, below=""):
    """
    Return the link to the view `name`, marked for the page that shows it (aria-current).

    And for the pages of the views that `below` names, with blanks between them. Not a template of
    its own: the bar has five of these, on each page.
    """
    # No request on the page of a server error, and no match where there is no page.
    match = getattr(context.get("request"), "resolver_match", None)
    here = match and match.url_name
    current = "page" if here == name else "true" if here in below.split() else None
    return link(cached_reverse(name), current, label)


@lru_cache(typed=True)  # what is safe HTML is no text
def link(url, current, label):
    mark = format_html(' aria-current="{}"', current) if current else ""
    return format_html('<a href="{}"{}>{}</a>', url, mark, label)
