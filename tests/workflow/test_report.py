"""The index and Snakemake's report of the tiny study, as a browser shows them."""

import json
import re
import zipfile
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from internal_kd.errors import UserError
from internal_kd.reporting.snakemake_report import write_report
from tests.reporting.index.html_parts import elements, texts
from tests.workflow.chromium import evaluate, needs_chromium
from tests.workflow.fake_results import write_fake_results
from tests.workflow.snakemake import planned, snakemake
from tests.workflow.tiny import make_project

pytestmark = pytest.mark.slow

RESULTS = Path("results/tiny")
TARGET = f"{RESULTS}/report.zip"
OPTIONS = ("--configfile", "tiny.yaml", "--config", "study=little", "statistics={resamples: 100}")
TRAININGS = {"base_model", "student_init", "task_data", "teacher", "distill", "attention"}
TABLES = {"table1", "table2", "table3", "table4"}
STATISTICS = {"claims", "significance"}
FIGURES = {"fig2", "fig3", "fig4", "fig5", "fig11", "attention_kl", "calibration"}

# Of Snakemake's report: follow an entry of the menu, wait for what it leads to.
STEPS = """
const until = async (find) => {
  for (let i = 0; i < 100; i++) { const found = find(); if (found) return found; await pause(); }
  throw new Error(document.body.innerText);
};
const named = (text) => [...document.querySelectorAll("a, span, td")]
  .filter(each => each.textContent.trim() === text).pop();
const follow = async (text) => (await until(() => named(text))).click();
const show = async (text) => {
  const row = (await until(() => named(text))).closest("tr");
  row.querySelector("a[iconname=eye]").click();
};
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    """The tiny study with trainings made by hand and all that is made from them."""
    folder = make_project(tmp_path_factory.mktemp("report"))
    write_fake_results(folder)
    assert not TRAININGS & set(planned(folder, *OPTIONS, "--", TARGET))
    result = snakemake(folder, "--cores", "2", *OPTIONS, "--", TARGET)
    assert result.returncode == 0, result.stdout
    return folder


@pytest.fixture(scope="module")
def index(project) -> Path:
    return project / RESULTS / "index.html"


@pytest.fixture(scope="module")
def report(project, tmp_path_factory) -> Path:
    """The page of the report, unpacked elsewhere."""
    folder = tmp_path_factory.mktemp("unpacked")
    with zipfile.ZipFile(project / TARGET) as archive:
        archive.extractall(folder)
    return folder / "report" / "report.html"


@pytest.fixture(scope="module")
def shown(report) -> dict[str, Any]:
    """The report's entry for each result, by path."""
    found = re.search(r"^ *var results = (\{.*\});$", report.read_text("utf-8"), re.MULTILINE)
    assert found
    return json.loads(found[1])


def test_nothing_remains_to_be_done_after_the_report(project):
    assert planned(project, *OPTIONS, "--", TARGET) == {}


def test_the_report_holds_every_table_and_figure(report, shown):
    pages = TABLES | STATISTICS | {"glue_submission"}
    files = {f"{RESULTS}/pages/{name}.html" for name in pages}
    files |= {f"{RESULTS}/{name}.csv" for name in TABLES | STATISTICS}
    files |= {f"{RESULTS}/figures/{name}.png" for name in FIGURES}
    assert set(shown) == files
    for path, result in shown.items():
        assert (report.parent / result["data_uri"]).stat().st_size > 0, path


def test_every_result_has_a_caption_and_one_label(shown):
    """With two labels, of two values each, the report takes one for a switch and may break."""
    for path, result in shown.items():
        assert len(texts(result["caption"], "p")) == 2, path
        assert len(result["labels"]) == 1, path


def test_no_caption_was_misread(report):
    """Names of categories are link targets: "Statistics" is one already."""
    assert "System Message" not in report.read_text("utf-8")


def test_the_report_shows_the_config_of_the_running_workflow(report):
    """The study's name comes from --config, its layers and task from --configfile."""
    page = report.read_text("utf-8")
    assert "<strong>little</strong>" in page
    assert "Students of 2 layers learn from fine-tuned teachers of\\n4 layers on rte" in page


def test_pages_of_the_report_need_no_network(report, shown):
    for path, result in shown.items():
        if path.endswith(".html"):
            assert "://" not in (report.parent / result["data_uri"]).read_text("utf-8"), path


@needs_chromium()
def test_a_browser_shows_categories_and_their_results(report):
    script = STEPS + (
        "await follow('Tables');"
        "await until(() => named('Table 1: development results'));"
        "return [...document.querySelectorAll('tbody tr td:first-child')]"
        ".map(cell => cell.textContent);"
    )
    rows = evaluate(report, script)
    assert len(rows) == 2 * len(TABLES)
    assert all(row.startswith("Table ") for row in rows)


@needs_chromium()
def test_a_browser_shows_a_figure_of_the_report(report):
    script = STEPS + (
        "await follow('Figures'); await follow('Score against parameters'); await show('fig2');"
        "const picture = await until(() => document.querySelector('img[src$=\"fig2.png\"]'));"
        "return [await until(() => picture.naturalWidth), picture.clientWidth];"
    )
    natural, drawn = evaluate(report, script)
    assert natural > 500
    assert drawn > 300


@needs_chromium()
def test_a_browser_shows_a_table_of_the_report(report):
    script = STEPS + (
        "await follow('Tables'); await show('Table 1: development results');"
        "const frame = await until(() => document.querySelector('iframe'));"
        "return frame.src;"
    )
    address = evaluate(report, script)
    page = report.parent / "data" / address.partition("/data/")[2]
    cells = evaluate(
        page, "return [...document.querySelectorAll('td')].map(cell => cell.innerText)"
    )
    assert cells[:2] == ["Exp1.0", "BERT (teacher)"]


@needs_chromium()
def test_a_browser_loads_nothing_but_files(report, index):
    script = "return performance.getEntriesByType('resource').map(each => each.name)"
    for page in (report, index):
        assert [
            name for name in evaluate(page, script) if not name.startswith(("file:", "data:"))
        ] == []


@needs_chromium()
def test_a_browser_shows_every_picture_of_the_index(index):
    script = (
        "return [...document.images].map(each => "
        "[each.getAttribute('src'), each.naturalWidth, each.clientWidth, each.alt])"
    )
    pictures = evaluate(index, script)
    assert {Path(source).stem for source, *_ in pictures} == FIGURES
    for source, natural, drawn, alternative in pictures:
        assert natural > 500, source
        assert 300 < drawn <= natural / 2 + 30, source
        assert alternative, source


@needs_chromium()
def test_a_browser_fits_the_index_into_a_narrow_window(index):
    script = "return [document.documentElement.scrollWidth, innerWidth]"
    needed, width = evaluate(index, script, size="400,800")
    assert needed <= width <= 500


def test_every_link_of_the_index_leads_somewhere(index):
    html = index.read_text("utf-8")
    places = {each.attributes.get("id") for each in elements(html, "section", "h2")}
    for link in elements(html, "a"):
        target = unescape(str(link.attributes["href"]))
        found = target[1:] in places if target[0] == "#" else (index.parent / target).is_file()
        assert found, target


def test_the_index_shows_every_table_and_figure(index):
    html = index.read_text("utf-8")
    shown = {each.attributes["id"] for each in elements(html, "section")}
    assert shown == TABLES | STATISTICS | FIGURES | {"glue_submission"}
    assert len(elements(html, "table")) >= len(TABLES | STATISTICS)


def test_a_failed_report_is_reported(tmp_path, capfd):
    (tmp_path / "Snakefile").write_text("rule a:\n    output: 'x'\n")
    with pytest.raises(UserError, match="snakemake --report failed"):
        write_report({}, tmp_path / "Snakefile", ["nowhere"], tmp_path / "report.zip")
    assert "nowhere" in capfd.readouterr().err
    assert not (tmp_path / "report.zip").exists()
