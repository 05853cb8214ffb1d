"""What may come out of Markdown, whatever goes in, and how long it takes."""

import random
import re
import time
from html.parser import HTMLParser

from django.core.exceptions import ValidationError
from django.test import SimpleTestCase, tag
from hypothesis import given, settings
from hypothesis import strategies as st

from blog.markdown import EXCERPT_LENGTH, MAX_LENGTH, MAX_MARKS, render, validate_markdown
from blog.models import validate_visible

VOID = {"br", "hr"}
TAGS = {
    *["p", "h2", "h3", "h4", "h5", "h6", "em", "strong", "code", "pre", "blockquote", "a", "li"],
    *["ul", "ol", "table", "thead", "tbody", "tr", "th", "td", *VOID],
}
ATTRIBUTES = {
    "a": {"href", "title", "rel"},
    "ol": {"start"},
    "pre": {"tabindex"},
    "table": {"tabindex"},
}
# What opens, ends or breaks out of something.
PIECES = [
    *[
        "<script>",
        "</script>",
        "<b onclick=x>",
        "<img src=x onerror=y>",
        "<style>",
        "<svg>",
        "<!--",
    ],
    *[
        "javascript:alert(1)",
        "JaVaScRiPt&colon;x",
        "data:text/html,x",
        "vbscript:x",
        "//evil.example",
    ],
    *["[a](", "[a]: ", "[a]", "![a](", "](", ")", "<http://a.example>", "https://a.example/", "<"],
    *['"', "'", " onmouseover=x ", "`", "```\n", "~~~\n", "*", "**", "_", "> ", "- ", "1. ", "# "],
    *["\n", "\n\n", "    ", "|", "|-|-|\n", "\\", "&lt;", "&#x3c;", "&amp;", "\u202e", "\x01", "a"],
    *["mailto:a@b.example", "</p>", "</div>", "</article>", "style=x", "---\n", "===\n", "\t", ">"],
]
TEXTS = st.text() | st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=30).map(
    "".join
)


class Checker(HTMLParser):
    """Raises AssertionError at a tag, an attribute, a link or a nesting that may not be there."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open = []

    def handle_starttag(self, tag, attributes):
        assert tag in TAGS, tag
        assert {name for name, _ in attributes} <= ATTRIBUTES.get(tag, set()), attributes
        if tag == "a":
            attributes = dict(attributes)
            assert "a" not in self.open, "a link in a link"
            assert attributes["rel"] == "nofollow ugc noopener"
            href = re.sub(r"[\x00-\x20]", "", attributes.get("href", ""))  # as browsers read it
            scheme = re.match(r"([a-zA-Z][a-zA-Z0-9+.-]*):", href)
            assert scheme is None or scheme[1].lower() in {"http", "https", "mailto"}, attributes
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, tag

    def handle_comment(self, data):
        raise AssertionError(data)

    handle_decl = handle_pi = unknown_decl = handle_comment


def check(html):
    checker = Checker()
    checker.feed(html)
    checker.close()
    assert not checker.open, checker.open


def html(text):
    return "".join(render(text, is_markdown=True)).replace("\n", "")


ALL_LEVELS = "<h2>a</h2><h2>b</h2><h3>b</h3><h4>b</h4><h5>b</h5><h6>b</h6><h6>b</h6>"


class Markdown(SimpleTestCase):
    def test_what_it_makes(self):
        link = 'rel="nofollow ugc noopener"'
        for text, expected in [
            ("*a* **b** `c`", "<p><em>a</em> <strong>b</strong> <code>c</code></p>"),
            ("a\nb\n\nc", "<p>ab</p><p>c</p>"),
            ("## a\n###### b", "<h2>a</h2><h3>b</h3>"),
            ("# a\n" + "".join(f"{'#' * level} b\n" for level in range(1, 7)), ALL_LEVELS),
            ("a\n===", "<h2>a</h2>"),
            ("> a", "<blockquote><p>a</p></blockquote>"),
            ("3. a\n4. b", '<ol start="3"><li>a</li><li>b</li></ol>'),
            ("```python\na\n```", '<pre tabindex="0"><code>a</code></pre>'),
            ("[a](/b 'c')", f'<p><a href="/b" title="c" {link}>a</a></p>'),
            (
                "https://a.example/b_c_d.",
                f'<p><a href="https://a.example/b_c_d" {link}>https://a.example/b_c_d</a>.</p>',
            ),
            ("[a](mailto:b@c.example)", f'<p><a href="mailto:b@c.example" {link}>a</a></p>'),
            ("readme.md a@b.example", "<p>readme.md a@b.example</p>"),
            ("[a]\n\n[a]: https://b.example", f'<p><a href="https://b.example" {link}>a</a></p>'),
        ]:
            self.assertEqual(html(text), expected)
        table = html("|a|b|\n|-|:-:|\n|c|d|")
        self.assertTrue(table.startswith('<table tabindex="0"><thead><tr><th>a</th><th>b</th>'))

    def test_raw_html_is_shown_as_it_was_typed(self):
        self.assertEqual(html("<b onclick='x'>a</b>"), "<p>&lt;b onclick='x'&gt;a&lt;/b&gt;</p>")

    def test_no_pictures(self):
        for text in ["![a](https://b.example/c.png)", "![a][b]\n\n[b]: /c.png", "[![a](/b)](/c)"]:
            self.assertNotIn("<img", html(text))
            check(html(text))

    def test_of_a_picture_stays_a_link(self):
        self.assertEqual(
            html("![a](https://b.example/c.png)"),
            '<p>!<a href="https://b.example/c.png" rel="nofollow ugc noopener">a</a></p>',
        )

    def test_links_that_are_none(self):
        for url in ["javascript:x", "JAVASCRIPT:x", "data:text/html,x", "vbscript:x", "file:///x"]:
            for text in [f"[a]({url})", f"<{url}>", f"[a]: {url}\n\n[a]", url]:
                self.assertNotRegex(html(text), 'href="(?!http)', text)

    def test_plain_text_is_what_it_was_before(self):
        self.assertEqual(
            "".join(render("*a* <b>\nc https://d.example\n\n\ne", is_markdown=False)),
            "<p>*a* &lt;b&gt;<br>c https://d.example</p>\n<p>e</p>\n",
        )

    def test_what_no_page_may_have_is_left_out(self):
        for is_markdown in [True, False]:
            excerpt, _ = render("a\x00\x01\x0b\x7f\x85\ufffeb\tc", is_markdown)
            self.assertEqual(excerpt, "<p>ab\tc</p>\n")

    def test_excerpt_is_cut_between_blocks(self):
        paragraph = "word " * 70
        for is_markdown in [True, False]:
            excerpt, rest = render("\n\n".join([paragraph] * 5), is_markdown)
            self.assertEqual((excerpt.count("<p>"), rest.count("<p>")), (2, 3))
            self.assertLessEqual(len(excerpt), EXCERPT_LENGTH)
        excerpt, rest = render("- a\n- b\n" * 200 + "\n\nc", is_markdown=True)
        self.assertEqual((excerpt.count("<ul>"), rest), (1, "<p>c</p>\n"))
        self.assertEqual(render("", is_markdown=True), ("", ""))


class Bounds(SimpleTestCase):
    def test_length(self):
        validate_markdown("x" * MAX_LENGTH)
        with self.assertRaisesMessage(ValidationError, "20,001"):
            validate_markdown("x" * (MAX_LENGTH + 1))

    def test_marks(self):
        urls = [("//", 20), ("mailto:", 20)]
        for mark, count in [("*", 1), ("\n", 1), ("- ", 1), ("1. ", 1), *urls, ("a, b. ", 0)]:
            most = MAX_MARKS // count if count else 3_000
            validate_markdown(mark * most)
            if count:
                with self.assertRaisesMessage(ValidationError, "too much markup"):
                    validate_markdown(mark * (most + 1))

    def test_no_definition_is_repeated_without_end(self):
        for definition in ["[a]: /" + "é" * 1_000, "[a]: /b '" + '"' * 9_000 + "'"]:
            text = definition + "\n\n" + "[a]" * 1_000
            validate_markdown(text)
            links = html(text)
            self.assertIn("<a href=", links)
            self.assertLess(len(links), 20 * MAX_LENGTH)

    def test_what_can_be_seen(self):
        for text in ["a", "!", "😀", "\u200bא", "字"]:
            validate_visible(text)
        for text in ["\u200b \u2800\u3164", "\u202e\n", "\ufe0f"]:
            with self.assertRaises(ValidationError):
                validate_visible(text)


@tag("slow")
class WhateverIsWritten(SimpleTestCase):
    @settings(max_examples=3_000, deadline=None, derandomize=True)
    @given(TEXTS, st.booleans())
    def test_has_no_script_handler_style_or_broken_nesting(self, text, is_markdown):
        for part in render(text, is_markdown):
            check(part)

    @settings(max_examples=300, deadline=None, derandomize=True)
    @given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=6).map("".join))
    def test_nor_when_it_is_repeated(self, piece):
        for part in render(piece * (2_000 // len(piece)), is_markdown=True):
            check(part)

    def test_takes_no_more_than_fifteen_times_what_plain_words_take(self):
        # As much of each as may be posted.
        for name, text in WORST.items():
            self.assertLess(times_plain_words(longest(text)), 15, name)

    def test_nor_does_what_is_put_together_at_random(self):
        dice = random.Random(1)
        for _ in range(300):
            piece = "".join(dice.choices(PIECES, k=dice.randint(1, 6)))
            text = longest(piece * (MAX_LENGTH // len(piece)))
            self.assertLess(times_plain_words(text), 15, piece)


def times_plain_words(text):
    """Return how many times the CPU time of as many plain words it takes to render `text`."""
    # The least of some readings, one beside the other: others use the machine as well.
    readings = ((timed(text), timed(WORST["words"])) for _ in range(5))
    ratio = float("inf")
    for seconds, plain in readings:
        ratio = min(ratio, seconds / plain)
        if ratio < 15:
            break
    return ratio


def timed(text):
    start = time.process_time()
    render(text, is_markdown=True)
    return time.process_time() - start


def longest(text):
    """Return as much of the beginning of `text` as the form of a post takes."""
    least, most = 0, MAX_LENGTH
    while least < most:
        middle = (least + most + 1) // 2
        try:
            validate_markdown(text[:middle])
            least = middle
        except ValidationError:
            most = middle - 1
    return text[:least]


def filled(piece, first=""):
    return (first + piece * MAX_LENGTH)[:MAX_LENGTH]


WORST = {
    "words": filled("some words of text that go on. "),
    "nested quotes": filled("> "),
    "nested quotes, line by line": filled(">" * 20 + "a\n"),
    "brackets": filled("["),
    "balanced brackets": "[" * 10_000 + "]" * 10_000,
    "brackets over lines": filled("[a\n"),
    "links": filled("[a](b)"),
    "half links": filled("[a]("),
    "half pictures": filled("!["),
    "nested links": "[a" * 5_000 + "](b)" * 2_500,
    "emphasis": filled("*a **b "),
    "emphasis of two kinds": filled("*_a "),
    "emphasis that never ends": filled("c* ", "a**b"),
    "ticks": "".join("e" + "`" * number for number in range(1, 198)),
    "nested lists": filled("- " * 9 + "a\n"),
    "nested lists, with numbers": filled("1. " * 9 + "a\n"),
    "lists": filled("- a\n"),
    "rows of a table": filled("|a" * 50 + "|\n", "|a" * 50 + "|\n" + "|-" * 50 + "|\n"),
    "rows that lack cells": filled("a\n", "a|" * 700 + "\n" + "-|" * 700 + "\n"),
    "tables": filled("a|b\n-|-\nc|d\n\n"),
    "empty rows": filled("|\n", "a|b\n-|-\n"),
    "entities": filled("&amp;"),
    "URLs": filled("https://a.example "),
    "URLs in one word": filled("http://a.b/"),
    "URLs with brackets": filled("http://a.b/((((((((((((((((((((((((((((((((((((((((("),
    "URL": filled("a.", "http://"),
    "URLs of emails": filled("mailto:a@b.cc "),
    "links to one definition": "[a]: /" + "\U0001f600" * 17_000 + "\n\n" + "[a]" * 990,
    "definitions": filled("[a]: b\n"),
    "definitions that are none": filled("[a]: b '\n"),
    "nested brackets in a definition": filled("(", "[a]: "),
    "lines": filled("a\n"),
    "paragraphs": filled("a\n\n"),
    "headings": filled("a\n-\n"),
    "lazy lines of a quote": filled("a\n", "> a\n"),
    "blanks": filled(" "),
    "tabs": filled("\t"),
    "backslashes": filled("\\"),
    "all of it": filled("> " * 10 + "- *a **b ` [c](d) |\n"),
}
