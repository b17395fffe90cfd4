import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from internal_kd.reporting.figures import style
from internal_kd.reporting.figures.lines import wrapped
from internal_kd.study.settings import EMBEDDED_NOTE


@pytest.mark.parametrize("width", [style.COLUMN_WIDTH, style.PAGE_WIDTH])
@pytest.mark.parametrize("remark", [EMBEDDED_NOTE, "many words of all widths " * 20])
def test_remarks_end_inside_the_figure(tmp_path, width, remark):
    figure, _ = style.new_figure(width)
    style.save_figure(figure, pd.DataFrame(), tmp_path / "figure.csv", wrapped([remark], width))
    FigureCanvasAgg(figure).draw()
    (text,) = [text for text in figure.texts if text.get_text()]
    assert text.get_window_extent().x1 <= figure.bbox.x1
