"""Template tags of the whole site, in every template without {% load %}."""

from django.template import Library

register = Library()


@register.simple_block_tag
def capture(content):
    """Name what is between the tags: {% capture as title %}…{% endcapture %}."""
    return content
