"""The index of a study's results: one page that shows every table and figure.

It refers to pictures and files by relative paths and needs neither network nor scripts, so that the
folder of results can be browsed, zipped and sent as it is.
"""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from string import Template

from internal_kd.errors import UserError
from internal_kd.reporting.index.items import PAGES, item_html, tables
from internal_kd.specs.index import IndexItem, IndexSettings, LeftOut

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
