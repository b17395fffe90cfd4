"""The Markdown of our tables and the plain text of captions as HTML."""

import re
from collections.abc import Sequence
from html import escape

from markdown_it import MarkdownIt
from markdown_it.token import Token

# `formats.markdown` writes none of these; text that resembles one is meant literally.
INLINE = ["autolink", "backticks", "entity", "html_inline", "image", "link"]
BLOCKS = ["blockquote", "code", "fence", "hr", "html_block", "lheading", "list", "reference"]
FOOTNOTES = re.compile(r"&lt;sup&gt;([a-z](?:,[a-z])*)&lt;/sup&gt;")


def table_html(markdown: str, label: str, top_heading: int = 4) -> str:
    """Tables in the Markdown of `formats.markdown`, with headings and paragraphs between them.

    A heading at the very beginning is dropped: what shows the tables has its own.

    Args:
        markdown: the text.
        label: what a screen reader calls the tables.
        top_heading: level in HTML of "##" headings; deeper ones follow.
    """
    parser = MarkdownIt("commonmark", {"html": False}).enable("table").disable(INLINE + BLOCKS)
    tokens = parser.parse(markdown)
    for token in tokens:
        _fit(token, top_heading)
    html = parser.renderer.render(_without_title(tokens), parser.options, {})
    region = f'<div class="scroll" role="region" tabindex="0" aria-label="{escape(label)}">'
    html = html.replace("<table>", f"{region}\n<table>").replace("</table>", "</table>\n</div>")
    return FOOTNOTES.sub(r"<sup>\1</sup>", html)


def _fit(token: Token, top_heading: int) -> None:
    """Give headings their level on the page, and a table's heads their scope."""
    if token.type in ("heading_open", "heading_close"):
        token.tag = f"h{min(int(token.tag[1]) + top_heading - 2, 6)}"
    if token.type == "th_open":
        token.attrSet("scope", "col")


def _without_title(tokens: Sequence[Token]) -> Sequence[Token]:
    return tokens[3:] if tokens and tokens[0].type == "heading_open" else tokens


def paragraphs(text: str) -> list[str]:
    """The paragraphs of a plain text, each on one line; empty lines part them."""
    return [" ".join(part.split()) for part in re.split(r"\n\s*\n", text) if part.strip()]


def caption_html(text: str) -> str:
    """A caption of plain paragraphs."""
    return "".join(f"<p>{escape(paragraph)}</p>\n" for paragraph in paragraphs(text))
