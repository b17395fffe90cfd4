import logging
import subprocess
import sys
from itertools import pairwise

import matplotlib
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb

from internal_kd.reporting.figures import lines, style
from internal_kd.reporting.figures.style import new_figure, save_figure
from internal_kd.specs.tasks import METRICS_OF, SINGLE_LABEL

FRAME = pd.DataFrame({"x": [1, 2], "y": [0.5, 0.25]})


def plotted():
    figure, axes = new_figure()
    axes.plot(FRAME["x"], FRAME["y"])
    return figure


def test_size_and_style() -> None:
    figure, axes = new_figure(5.0, 3.0, nrows=2, sharex=True)
    assert figure.get_size_inches().tolist() == [5.0, 3.0]
    assert len(axes) == 2
    assert not axes[0].spines["top"].get_visible()
    assert axes[0].xaxis.label.get_fontsize() == style.SETTINGS["axes.labelsize"]
    plt.close(figure)


def test_figures_are_one_column_wide_by_default() -> None:
    figure, _ = new_figure()
    assert figure.get_figwidth() == style.COLUMN_WIDTH
    plt.close(figure)


def test_three_files_are_written_and_the_folder_is_created(tmp_path) -> None:
    out = tmp_path / "deep/fig2.csv"
    save_figure(plotted(), FRAME, out)
    assert {path.name for path in out.parent.iterdir()} == {"fig2.csv", "fig2.pdf", "fig2.png"}
    pd.testing.assert_frame_equal(pd.read_csv(out), FRAME)
    assert out.with_suffix(".pdf").read_bytes().startswith(b"%PDF")
    assert plt.imread(out.with_suffix(".png")).shape[1] == round(300 * style.COLUMN_WIDTH)


def test_names_with_dots_stay_whole(tmp_path) -> None:
    save_figure(plotted(), FRAME, str(tmp_path / "fig.a.csv"))
    assert (tmp_path / "fig.a.png").is_file()


def test_same_figure_gives_the_same_bytes(tmp_path) -> None:
    for name in ("a", "b"):
        save_figure(plotted(), FRAME, tmp_path / f"{name}.csv", ["A remark."])
    for suffix in (".pdf", ".png", ".csv"):
        first, second = (tmp_path / f"{name}{suffix}" for name in "ab")
        assert first.read_bytes() == second.read_bytes()


def test_remarks_stand_below_the_axes_and_inside_the_page(tmp_path) -> None:
    figure = plotted()
    save_figure(figure, FRAME, tmp_path / "a.csv", ["One remark.", "Another remark."])
    (label,) = [text for text in figure.findobj(matplotlib.text.Text) if "One" in text.get_text()]
    assert label.get_text() == "One remark.\nAnother remark."
    FigureCanvasAgg(figure).draw()
    box, axes = label.get_window_extent(), figure.axes[0].get_tightbbox()
    assert box.y1 <= axes.y0
    assert box.y0 >= 0
    assert box.x1 <= figure.bbox.width


def test_figure_is_closed(tmp_path) -> None:
    before = plt.get_fignums()
    save_figure(plotted(), FRAME, tmp_path / "a.csv")
    assert plt.get_fignums() == before


def test_no_screen_is_needed() -> None:
    assert matplotlib.get_backend().lower() == "agg"


def test_log_does_not_list_every_glyph(tmp_path, caplog) -> None:
    with caplog.at_level(logging.INFO):
        save_figure(plotted(), FRAME, tmp_path / "a.csv")
    assert caplog.records == []


def test_text_in_a_pdf_is_text(tmp_path) -> None:
    """Type 42 fonts can be searched and are what publishers require; type 3 ones are rejected."""
    save_figure(plotted(), FRAME, tmp_path / "a.csv")
    content = (tmp_path / "a.pdf").read_bytes()
    assert b"/Subtype /Type3" not in content
    assert b"/Type0" in content


def test_every_metric_has_a_title_with_its_unit() -> None:
    assert set(style.METRIC_TITLES) == set(METRICS_OF[SINGLE_LABEL])
    assert all("%" in title or "100" in title for title in style.METRIC_TITLES.values())


@pytest.mark.parametrize("table", [style.COLORS, style.MARKERS])
def test_roles_are_distinguishable(table) -> None:
    assert set(table) == set(lines.ROLES)
    assert len(set(table.values())) == len(table)


def test_roles_are_distinguishable_in_grey() -> None:
    """Relative luminance of sRGB, weights of Rec. 709."""
    grey = sorted(
        sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), to_rgb(color), strict=True))
        for color in style.COLORS.values()
    )
    assert min(b - a for a, b in pairwise(grey)) > 0.05


def test_cycles_are_of_one_length() -> None:
    assert len(style.CYCLE) == len(set(style.CYCLE)) == len(style.CYCLE_MARKERS)


def test_start_up_imports_nothing_heavy() -> None:
    code = (
        "import sys, internal_kd.reporting.figures.convergence; "
        "print(sorted({'torch', 'transformers', 'seaborn', 'scipy.stats'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
