"""The index of a study's results: one page that shows every table and figure.

It refers to pictures and files by relative paths and needs neither network nor scripts, so that the
folder of results can be browsed, zipped and sent as it is.

One table, figure or file of the index: its picture or rows, its caption, links to its files.

The Markdown of our tables and the plain text of captions as HTML.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from string import Template
from urllib.parse import quote

from markdown_it import MarkdownIt
from markdown_it.token import Token

from internal_kd.errors import UserError
from internal_kd.specs.reports import IndexItem, IndexSettings, LeftOut

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


PAGES = "pages"
FORMATS = {
    ".csv": "data (CSV)",
    ".md": "Markdown",
    ".tex": "LaTeX",
    ".pdf": "PDF",
    ".png": "PNG",
    ".zip": "ZIP",
}
PIXELS = 2  # of a picture, per pixel of the page
PNG_START = b"\x89PNG\r\n\x1a\n"


def item_html(item: IndexItem, folder: Path, caption: str) -> str:
    """A table, figure or file with its heading, caption and links.

    Args:
        item: whose files lie in `folder`.
        folder: of the results.
        caption: plain paragraphs.

    Raises:
        UserError: a file that the item shows is missing or is not of the type of its name.
    """
    if item.kind == "figure":
        body = f"<figure>\n{_picture(item, folder)}<figcaption>\n{caption_html(caption)}"
        body += "</figcaption>\n</figure>\n"
    else:
        body = caption_html(caption) + tables(item, folder)
    links = " · ".join(_links(item, folder))
    return (
        f'<section class="item" id="{escape(item.name)}">\n<h3>{escape(item.title)}</h3>\n'
        f'{body}<p class="links">{links}</p>\n</section>\n'
    )


def tables(item: IndexItem, folder: Path, top_heading: int = 4) -> str:
    """The tables in the Markdown file of an item, as HTML; see `markup.table_html`.

    Raises:
        UserError: the file is missing.
    """
    path = _existing(folder / Path(item.file).with_suffix(".md"))
    return table_html(path.read_text(encoding="utf-8"), item.title, top_heading)


def _picture(item: IndexItem, folder: Path) -> str:
    relative = Path(item.file).with_suffix(".png")
    width, height = png_size(_existing(folder / relative))
    alternative = f"Plot: {item.title}. Its numbers are in {Path(item.file).name}."
    return (
        f'<a href="{quote(str(relative))}"><img src="{quote(str(relative))}" '
        f'alt="{escape(alternative)}" width="{width // PIXELS}" height="{height // PIXELS}"></a>\n'
    )


def _links(item: IndexItem, folder: Path) -> Iterator[str]:
    """Links to the item's file, its other formats, and more files that it names."""
    file = Path(item.file)
    _existing(folder / file)
    for suffix, name in FORMATS.items():
        sibling = file.with_suffix(suffix)
        if (folder / sibling).is_file():
            yield _link(sibling, name)
    for other in item.more:
        _existing(folder / other)
        yield _link(Path(other), Path(other).name)


def _link(path: Path, text: str) -> str:
    return f'<a href="{quote(str(path))}">{escape(text)}</a>'


def png_size(path: Path) -> tuple[int, int]:
    """Width and height of a picture in pixels.

    Raises:
        UserError: the file is not a PNG.
    """
    with path.open("rb") as file:
        head = file.read(24)
    if len(head) < 24 or not head.startswith(PNG_START):
        raise UserError(f"{path} is not a PNG image; delete it and make its figure again")
    return int.from_bytes(head[16:20]), int.from_bytes(head[20:24])


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise UserError(f"{path} is missing, but the index shows it; make it first")
    return path


FINGERPRINT_DATA = ("page.html.tmpl",)

TEMPLATE = Path(__file__).with_name("page.html.tmpl")
PAPER = "Knowledge Distillation from Internal Representations (Aguilar et al., AAAI 2020)"
MISSING = "missing"  # id of the section on what the study cannot have


def write_index(settings: IndexSettings, captions: Iterable[str | Path], out: str | Path) -> None:
    """Write the index as `out`, and in the folder `pages` beside it each table on a page alone.

    Args:
        settings: of the index; its files lie in the folder of `out`.
        captions: files of plain paragraphs, in .rst files of their names.
        out: path of the .html.

    Raises:
        UserError: a file or caption is missing.
    """
    out = Path(out)
    texts = {Path(path).stem: Path(path).read_text(encoding="utf-8") for path in captions}
    body = _header(settings) + _main(settings, texts, out.parent)
    _write(out, f"Results of study {settings.study}", body)
    for section in settings.sections:
        for item in section.items:
            if item.kind != "figure":
                _write_page(item, out.parent)


def _write_page(item: IndexItem, folder: Path) -> None:
    shown = tables(item, folder, top_heading=2)
    body = f"<main>\n<h1>{escape(item.title)}</h1>\n{shown}</main>\n"
    _write(folder / PAGES / f"{item.name}.html", item.title, body)


def _write(path: Path, title: str, body: str) -> None:
    template = Template(TEMPLATE.read_text(encoding="utf-8"))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(template.substitute(title=escape(title), body=body), encoding="utf-8")


def _header(settings: IndexSettings) -> str:
    note = f'<p class="note">{escape(settings.note)}</p>\n' if settings.note else ""
    return (
        f"<header>\n<h1>Results of study {escape(settings.study)}</h1>\n"
        f"<p>After <cite>{escape(PAPER)}</cite>.</p>\n{note}</header>\n{_contents(settings)}"
    )


def _contents(settings: IndexSettings) -> str:
    parts = [
        f"<li>{escape(section.title)}\n<ul>\n{_entries(section.items)}</ul>\n</li>\n"
        for section in settings.sections
        if section.items
    ]
    if settings.missing:
        parts.append(f'<li><a href="#{MISSING}">Not in this study</a></li>\n')
    return f'<nav aria-label="Contents">\n<h2>Contents</h2>\n<ul>\n{"".join(parts)}</ul>\n</nav>\n'


def _entries(items: Sequence[IndexItem]) -> str:
    return "".join(
        f'<li><a href="#{escape(item.name)}">{escape(item.title)}</a></li>\n' for item in items
    )


def _main(settings: IndexSettings, captions: Mapping[str, str], folder: Path) -> str:
    parts = []
    for section in settings.sections:
        items = [item_html(item, folder, _caption(item, captions)) for item in section.items]
        body = "".join(items) or "<p>None in this study.</p>\n"
        parts.append(f"<h2>{escape(section.title)}</h2>\n{body}")
    return f"<main>\n{''.join(parts)}{_missing(settings.missing)}</main>\n"


def _caption(item: IndexItem, captions: Mapping[str, str]) -> str:
    if item.caption not in captions:
        raise UserError(
            f"{item.name}: there is no caption {item.caption!r}; add its .rst file to --captions"
        )
    return captions[item.caption]


def _missing(missing: Sequence[LeftOut]) -> str:
    if not missing:
        return ""
    rows = [f"<dt>{escape(each.name)}</dt><dd>{escape(each.why)}</dd>\n" for each in missing]
    return f'<h2 id="{MISSING}">Not in this study</h2>\n<dl>\n{"".join(rows)}</dl>\n'
