"""Text that tables and captions hold is what pages show."""

import pytest
from docutils.core import publish_doctree
from docutils.nodes import paragraph
from hypothesis import given
from hypothesis import strategies as st

from internal_kd.reporting.formats import Cell, Column, Table, markdown
from internal_kd.reporting.index.write import caption_html, paragraphs, table_html
from tests.conftest import ROOT
from tests.reporting.index.html_parts import elements, texts

CAPTIONS = sorted((ROOT / "workflow" / "report").glob("*.rst"))
LINE = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1)


def table(*rows: list[Cell], notes: tuple[str, ...] = ()) -> Table:
    columns = [Column("Name", align="l"), Column("Acc.", group="RTE")]
    return Table(caption="Scores & more.", columns=columns, sections=[rows], notes=notes)


def test_a_table_with_bold_cells_and_footnotes() -> None:
    row = [Cell("Exp3.4 [SID] a -> b"), Cell("60.1 ± 0.5", bold=True, marks=("a", "b"))]
    html = table_html(markdown(table(row, notes=("a: always <one> class.",))), "Table 1")
    assert texts(html, "th") == ["Name", "RTE Acc."]
    assert texts(html, "td") == ["Exp3.4 [SID] a -> b", "60.1 ± 0.5a,b"]
    assert texts(html, "sup") == ["a,b"]
    assert texts(html, "strong") == ["Scores & more.", "60.1 ± 0.5"]
    assert texts(html, "p")[-1] == "a: always <one> class."
    assert [head.attributes["scope"] for head in elements(html, "th")] == ["col", "col"]
    assert elements(html, "td")[1].attributes["style"] == "text-align:right"


def test_tables_scroll_in_a_region_with_a_name() -> None:
    html = table_html(markdown(table([Cell("x"), Cell("1")])), 'Table "1"')
    (region,) = elements(html, "div")
    assert region.attributes["aria-label"] == 'Table "1"'
    assert region.attributes["tabindex"] == "0"


@given(name=LINE, value=LINE)
def test_any_text_of_a_cell_is_shown_as_it_is(name: str, value: str) -> None:
    html = table_html(markdown(table([Cell(name), Cell(value, bold=True)])), "Table")
    assert texts(html, "td") == [name, value]


@pytest.mark.parametrize(
    "text",
    [
        "`a_b` and *c*",
        "AT&amp;T",
        "<script>alert(1)</script>",
        "http://x.org <b@c.org>",
        "![x](y.png) [z](w)",
        r"a \| b | c\\",
        "~~gone~~",
    ],
)
def test_no_text_becomes_markup(text: str) -> None:
    html = table_html(markdown(table([Cell(text), Cell("1")], notes=(f"n: {text}",))), "Table")
    assert texts(html, "td")[0] == text
    assert texts(html, "p")[-1] == f"n: {text}"
    assert not elements(html, "a", "img", "code", "script", "em", "s")


def test_a_leading_title_is_dropped_and_headings_fit_the_page() -> None:
    text = "# Claims\n\nWords.\n\n## Scores\n\n### Deep\n"
    assert elements(table_html(text, "Claims"), "h1", "h2", "h3") == []
    assert texts(table_html(text, "Claims"), "h4") == ["Scores"]
    assert texts(table_html(text, "Claims"), "h5") == ["Deep"]
    assert texts(table_html(text, "Claims", top_heading=2), "h2") == ["Scores"]


def test_paragraphs_of_a_caption() -> None:
    assert paragraphs("\nOne\ntwo.\n \n\nThree <4.\n") == ["One two.", "Three <4."]
    assert caption_html("One.\n\nThree <4.\n") == "<p>One.</p>\n<p>Three &lt;4.</p>\n"
    assert paragraphs(" \n") == []


@pytest.mark.parametrize(
    "file", [file for file in CAPTIONS if file.stem != "workflow"], ids=lambda file: file.stem
)
def test_captions_read_the_same_in_the_index_and_in_the_report(file) -> None:
    """Snakemake reads them as reStructuredText with Jinja, the index as plain paragraphs."""
    text = file.read_text(encoding="utf-8")
    assert "{{" not in text
    assert "{%" not in text
    tree = publish_doctree(text, settings_overrides={"report_level": 5})
    assert all(isinstance(child, paragraph) for child in tree.children)
    assert not [node for child in tree.children for node in child.children if node.children]
    assert [" ".join(child.astext().split()) for child in tree.children] == paragraphs(text)
    assert len(tree.children) == 2
