import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from internal_kd.reporting.figures import style
from internal_kd.reporting.figures.remarks import (
    heads_sentence,
    hint_sentence,
    seeds_sentence,
    teachers_sentence,
    wrapped,
)
from internal_kd.specs.reports import Row
from internal_kd.study.analysis_settings import EMBEDDED_NOTE


@pytest.mark.parametrize("width", [style.COLUMN_WIDTH, style.PAGE_WIDTH])
@pytest.mark.parametrize("remark", [EMBEDDED_NOTE, "many words of all widths " * 20])
def test_remarks_end_inside_the_figure(tmp_path, width, remark):
    figure, _ = style.new_figure(width)
    style.save_figure(figure, pd.DataFrame(), tmp_path / "figure.csv", wrapped([remark], width))
    FigureCanvasAgg(figure).draw()
    (text,) = [text for text in figure.texts if text.get_text()]
    assert text.get_window_extent().x1 <= figure.bbox.x1


@pytest.mark.parametrize(
    ("counts", "sentence"),
    [
        ([], ""),
        ([1, 1], "One seed: differences are hints."),
        ([2], "Two seeds: differences are hints."),
        ([2, 1, 5], "One or two seeds: differences are hints."),
        ([3, 4], ""),
    ],
)
def test_fewer_than_three_seeds_give_hints(counts, sentence):
    assert hint_sentence(counts) == sentence


@pytest.mark.parametrize(
    ("counts", "sentence"),
    [
        ([1], "One seed: differences are hints."),
        ([2], "Two seeds: differences are hints. Dots."),
        ([5, 3, 3], "Bands: 95% interval of the mean over 3 or 5 seeds."),
        ([], ""),
    ],
)
def test_what_is_drawn_of_the_seeds(counts, sentence):
    assert seeds_sentence(counts, single="Dots.") == sentence


@pytest.mark.parametrize(
    ("teachers", "students", "sentence"),
    [
        (0, [3], ""),
        (1, [], ""),
        (1, [3, 2], ""),  # the remark on students covers it
        (1, [3, 3], "One teacher: differences from it are hints."),
        (3, [3], "Teacher: mean of 3, one for each student seed."),
    ],
)
def test_how_many_teachers_there_are(teachers, students, sentence):
    assert teachers_sentence(teachers, students) == sentence


def test_heads_are_named_where_they_differ():
    rows = [Row(f"exp{i}", "", head) for i, head in enumerate([None, "random", "random"])]
    assert heads_sentence(rows) == ""
    rows.append(Row("own", "", "teacher"))
    assert heads_sentence(rows).startswith(
        "Heads at the start: new in Exp1, Exp2; the teacher's in Own."
    )
