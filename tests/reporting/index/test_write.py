"""The index of a small folder of results."""

from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

import pytest

from internal_kd.errors import UserError
from internal_kd.jobs import index
from internal_kd.reporting.index.write import png_size, write_index
from internal_kd.specs.jobs import encode
from internal_kd.specs.reports import IndexItem
from internal_kd.study.reports import FIGURE_KINDS, REPORTS
from tests.conftest import ROOT
from tests.jobs.tiny_study import call
from tests.reporting.index.html_parts import elements, texts
from tests.reporting.index.results import NOTE, SIZE, item, write_captions, write_results


class Results:
    """A folder of results, and the settings and captions of its index."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "results"
        self.settings = write_results(self.folder)
        self.captions = write_captions(folder / "captions", self.settings)

    def show(self, section: int, *items: IndexItem) -> None:
        """Put other items into a section."""
        sections = list(self.settings.sections)
        sections[section] = replace(sections[section], items=items)
        self.settings = replace(self.settings, sections=tuple(sections))

    def write(self) -> str:
        """The index as it is written now."""
        out = self.folder / "index.html"
        write_index(self.settings, self.captions, out)
        return out.read_text(encoding="utf-8")


@pytest.fixture
def results(tmp_path) -> Results:
    return Results(tmp_path)


def test_study_note_and_sections_in_order(results) -> None:
    html = results.write()
    assert texts(html, "title", "h1") == ["Results of study small"] * 2
    assert NOTE in texts(html, "p")
    assert texts(html, "h2") == ["Contents", "Tables", "Figures", "Files", "Not in this study"]
    assert texts(html, "h3") == ["Table 1", "Figure 2: QQP", "Submissions"]


def test_a_table_is_shown_with_its_caption(results) -> None:
    html = results.write()
    assert texts(html, "td")[:4] == ["Exp1.0", "66.4", "Exp3.2", "65.0"]
    assert "What table1 shows." in texts(html, "p")
    assert "Study: small." in texts(html, "p")


def test_a_figure_is_a_picture_with_alternative_text_and_caption(results) -> None:
    html = results.write()
    (picture,) = elements(html, "img")
    assert picture.attributes["src"] == "figures/fig2.png"
    assert picture.attributes["alt"] == "Plot: Figure 2: QQP. Its numbers are in fig2.csv."
    assert picture.attributes["width"] == str(SIZE[1] // 2)
    assert picture.attributes["height"] == str(SIZE[0] // 2)
    (caption,) = texts(html, "figcaption")
    assert caption.split("\n")[1:3] == ["What fig2 shows.", "Where the paper has it."]


def test_every_link_leads_to_a_file_or_a_place_on_the_page(results) -> None:
    html = results.write()
    links = [link.attributes["href"] for link in elements(html, "a")]
    places = {element.attributes.get("id") for element in elements(html, "section", "h2")}
    files = [unquote(link) for link in links if not link.startswith("#")]
    assert {link[1:] for link in links if link.startswith("#")} <= places
    assert all((results.folder / file).is_file() for file in files)
    formats = [f"table1.{suffix}" for suffix in ("csv", "md", "tex")]
    formats += [f"figures/fig2.{suffix}" for suffix in ("csv", "pdf", "png")]
    assert {*formats, "glue_submission.zip", "glue_submission_exp1.0.zip"} <= set(files)


def test_the_page_needs_neither_network_nor_scripts(results) -> None:
    html = results.write()
    assert "://" not in html
    assert not elements(html, "script", "link")


def test_items_the_study_cannot_have_are_reported(results) -> None:
    html = results.write()
    assert texts(html, "dt") == ["fig9"]
    assert texts(html, "dd") == ["its task qnli is not one of the study's tasks"]
    results.settings = replace(results.settings, missing=())
    assert "Not in this study" not in results.write()


def test_an_empty_section_is_marked(results) -> None:
    results.show(1)
    html = results.write()
    assert "None in this study." in texts(html, "p")
    assert "Figures" in texts(html, "h2")


def test_names_and_titles_are_escaped(results) -> None:
    (entry,) = results.settings.sections[0].items
    results.show(0, replace(entry, title='Table <1> "$y"'))
    results.settings = replace(results.settings, study="a<b>&c", note="<i>$x</i>")
    html = results.write()
    assert texts(html, "h1") == ["Results of study a<b>&c"]
    assert "<i>$x</i>" in texts(html, "p")
    assert 'Table <1> "$y"' in texts(html, "h3")


def test_file_names_are_quoted(results) -> None:
    for suffix in (".csv", ".md"):
        path = results.folder / f"table1{suffix}"
        path.rename(results.folder / f"a b#1{suffix}")
    (entry,) = results.settings.sections[0].items
    results.show(0, replace(entry, file="a b#1.csv"))
    links = [link.attributes["href"] for link in elements(results.write(), "a")]
    assert "a%20b%231.csv" in links


def test_each_table_has_a_page_of_its_own(results) -> None:
    results.write()
    pages = {page.name: page.read_text() for page in (results.folder / "pages").iterdir()}
    assert set(pages) == {"table1.html", "glue_submission.html"}
    assert texts(pages["table1.html"], "h1") == ["Table 1"]
    assert texts(pages["table1.html"], "td") == ["Exp1.0", "66.4", "Exp3.2", "65.0"]
    assert "://" not in pages["table1.html"]


def test_the_same_results_give_the_same_page(results) -> None:
    assert results.write() == results.write()


@pytest.mark.parametrize(
    "name", ["table1.csv", "table1.md", "figures/fig2.png", "glue_submission_exp1.0.zip"]
)
def test_a_missing_file_is_reported(results, name) -> None:
    (results.folder / name).unlink()
    with pytest.raises(UserError, match=f"{name} is missing"):
        results.write()


def test_other_formats_may_be_missing(results) -> None:
    (results.folder / "table1.tex").unlink()
    assert "LaTeX" not in results.write()


def test_a_missing_caption_is_reported(results) -> None:
    results.show(0, item("table", "t", "T", "table1.csv"))
    with pytest.raises(UserError, match="t: there is no caption 't'"):
        results.write()


def test_a_file_that_is_not_a_picture_is_reported(results) -> None:
    picture = results.folder / "figures" / "fig2.png"
    assert png_size(picture) == SIZE[::-1]
    picture.write_text("<html>")
    with pytest.raises(UserError, match=r"fig2\.png is not a PNG image"):
        results.write()


def test_the_stage_writes_the_index(results) -> None:
    out = results.folder / "index.html"
    files = [str(path) for path in results.captions]
    argv = {"captions": files[0], "out": out}
    results.settings = replace(results.settings, sections=results.settings.sections[:1])
    call(index, encode(results.settings), **argv)
    assert out.read_text(encoding="utf-8") == results.write()


def test_every_item_of_the_workflow_has_its_caption() -> None:
    names = {*REPORTS, *(f"figure_{kind}" for kind in FIGURE_KINDS)}
    found = {path.stem for path in (ROOT / "workflow" / "report").glob("*.rst")}
    assert found == names | {"workflow"}
