"""Text to HTML: Markdown as CommonMark has it, with tables; and plain text as it always was."""

import re
from importlib import import_module
from importlib.metadata import version

from django.core.exceptions import ValidationError
from django.template.defaultfilters import linebreaks
from markdown_it import MarkdownIt
from nh3 import Cleaner

MAX_LENGTH = 20_000  # characters
MAX_MARKS = 3_000  # twice as many as in any README
MAX_LINKED = 50_000  # characters of URLs and titles; a definition is repeated by each link to it
EXCERPT_LENGTH = 800  # characters of HTML, unless the first block is longer

LIBRARIES = ["markdown-it-py", "linkify-it-py", "nh3"]
# What rendered a post is stored with it. Raise the number when this module renders differently.
RENDERER = ", ".join(["1", *(f"{name} {version(name)}" for name in LIBRARIES)])

# What takes time: a mark opens something, or ends a line. What is linked by itself takes most.
MARKS = re.compile(r"[\[\]*_`<>|!&\\\n]|[-+]\s|\d[.)]")
URLS = re.compile("//|mailto:", re.IGNORECASE)
MARKS_PER_URL = 20
# What neither HTML nor a feed may have.
CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ufffe\uffff]")

# No raw HTML, and no pictures: from elsewhere, they would tell strangers who reads here.
parser = MarkdownIt("commonmark", {"html": False, "linkify": True})
parser.enable(["table", "linkify"]).disable("image")
parser.inline.ruler.disable("linkify")  # slow for "://"; the one of the core finds as much
parser.linkify.set({"fuzzy_link": False, "fuzzy_email": False})  # "readme.md" is no link
# Cells that a row lacks are filled in: two kilobytes could become a megabyte.
import_module("markdown_it.rules_block.table").MAX_AUTOCOMPLETED_CELLS = 1_000

# What the parser makes, and nothing else: whatever slips through it ends here.
cleaner = Cleaner(
    tags={
        *["p", "br", "hr", "h2", "h3", "h4", "h5", "h6", "em", "strong", "code", "pre"],
        *["blockquote", "ul", "ol", "li", "a", "table", "thead", "tbody", "tr", "th", "td"],
    },
    attributes={"a": {"href", "title"}, "ol": {"start"}},
    url_schemes={"http", "https", "mailto"},
    link_rel="nofollow ugc noopener",
    # They scroll when they are wider than the page; the keyboard has to reach them for that.
    set_tag_attribute_values={"pre": {"tabindex": "0"}, "table": {"tabindex": "0"}},
)


def validate_markdown(text):
    """Raise ValidationError if `text` could take longer than a tenth of a second to render."""
    if len(text) > MAX_LENGTH:
        raise ValidationError(
            f"A post has at most {MAX_LENGTH:,} characters, and this one has {len(text):,}."
        )
    if len(MARKS.findall(text)) + MARKS_PER_URL * len(URLS.findall(text)) > MAX_MARKS:
        raise ValidationError("That is too much markup for one post: lines, links, lists, tables.")


def render(text, is_markdown):
    """Return the HTML of `text` in two parts, cut between paragraphs: an excerpt and the rest."""
    text = CONTROLS.sub("", text)
    blocks = markdown_blocks(text) if is_markdown else plain_blocks(text)
    end, length = 1, len(blocks[0]) if blocks else 0
    while end < len(blocks) and length + len(blocks[end]) <= EXCERPT_LENGTH:
        length += len(blocks[end])
        end += 1
    return cleaner.clean("".join(blocks[:end])), cleaner.clean("".join(blocks[end:]))


def plain_blocks(text):
    return [f"{paragraph}\n" for paragraph in linebreaks(text, autoescape=True).split("\n\n")]


def markdown_blocks(text):
    tokens, blocks, start, linked = parser.parse(text), [], 0, 0
    # <h1> is the title of the post; below it none is left out, whichever its author began with.
    levels = sorted({token.tag for token in tokens if token.type == "heading_open"})
    for end, token in enumerate(tokens, 1):
        if token.type.startswith("heading"):
            token.tag = f"h{min(levels.index(token.tag) + 2, 6)}"
        for inner in token.children or ():
            linked += sum(map(len, inner.attrs.values()))
            if linked > MAX_LINKED:
                inner.attrs.clear()  # a link that leads nowhere
        if token.level == 0 and token.nesting <= 0:
            blocks.append(parser.renderer.render(tokens[start:end], parser.options, {}))
            start = end
    return blocks
