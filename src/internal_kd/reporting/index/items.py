"""One table, figure or file of the index: its picture or rows, its caption, links to its files."""

from collections.abc import Iterator
from html import escape
from pathlib import Path
from urllib.parse import quote

from internal_kd.errors import UserError
from internal_kd.reporting.index.markup import caption_html, table_html
from internal_kd.specs.index import IndexItem

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
