import numpy as np
import pytest
from matplotlib import pyplot as plt

from internal_kd.errors import UserError
from internal_kd.reporting.figures import heatmap
from tests.reporting.figures.attention_patterns import (
    LONG,
    SETTINGS,
    SHORT,
    patterned_maps,
    words,
)

LARGE = 1.9  # inches


@pytest.fixture
def axes():
    figure, axes = plt.subplots()
    yield axes
    plt.close(figure)


def test_requested_number_or_the_default() -> None:
    assert heatmap.choose(None, 4, 3, "figures.a.layer", "layers") == 3
    assert heatmap.choose(1, 4, 3, "figures.a.layer", "layers") == 1
    assert heatmap.choose(4, 4, 3, "figures.a.layer", "layers") == 4


@pytest.mark.parametrize("value", [0, 5, -1])
def test_number_out_of_range_is_reported_with_its_key(value) -> None:
    message = rf"figures\.a\.layer: {value} is out of range; the student's layers go from 1 to 4"
    with pytest.raises(UserError, match=message):
        heatmap.choose(value, 4, 3, "figures.a.layer", "student's layers")


def test_all_tokens_are_shown_where_they_can_be_read() -> None:
    maps = patterned_maps(LONG[:30])
    shown = heatmap.shown_tokens(maps, LARGE)
    assert shown.tolist() == list(range(30))
    assert heatmap.cut_remark(maps, shown) == []


@pytest.mark.parametrize(("size", "most"), [(LARGE, 30), (1.2, 19)])
def test_long_examples_keep_special_tokens_and_starts_of_texts(size, most) -> None:
    maps = patterned_maps(LONG)
    shown = heatmap.shown_tokens(maps, size)
    tokens = maps.tokens[shown].tolist()
    assert len(shown) == most
    assert tokens[0] == "[CLS]"
    assert tokens[-1] == "[SEP]"
    middle = tokens.index("[SEP]")
    second = LONG.index("[SEP]") + 1
    assert tokens[:middle] == LONG[:middle]
    assert tokens[middle + 1 : -1] == LONG[second : second + len(tokens) - middle - 2]
    assert abs(middle - (len(tokens) - middle)) <= 3  # both texts get their share
    (remark,) = heatmap.cut_remark(maps, shown)
    assert f"Of the example's {len(LONG)} tokens {most} are shown" in remark


def test_tokens_without_special_ones_are_cut_at_the_end() -> None:
    maps = patterned_maps(["word"] * 40)
    assert heatmap.shown_tokens(maps, LARGE).tolist() == list(range(30))


def test_tidy_rows() -> None:
    maps = patterned_maps(SHORT)
    frame = heatmap.tidy(maps, SETTINGS, [2, 3], 4, np.array([0, 5, 8]))
    assert list(frame.columns) == heatmap.COLUMNS
    assert len(frame) == 2 * 3 * 9
    assert (frame["head"] == 4).all()
    assert set(zip(frame["layer"], frame["teacher_layer"], strict=True)) == {(2, 4), (3, 6)}
    keys = {"model": "standard", "layer": 3, "query": 5, "key": 8}
    (row,) = frame[(frame[list(keys)] == list(keys.values())).all(axis=1)].to_dict("records")
    assert row["experiment"] == "exp2.0"
    assert (row["query_token"], row["key_token"]) == ("into", "[SEP]")
    assert row["probability"] == pytest.approx(maps.standard[2, 3, 5, 8], abs=1e-6)
    assert row["head_kl"] == pytest.approx(maps.standard_head_kl[2, 3], abs=1e-6)
    assert row["example_kl"] == pytest.approx(maps.standard_head_kl.mean(), abs=1e-6)
    assert frame.loc[frame["model"] == "teacher", ["head_kl", "example_kl"]].isna().all(axis=None)


def test_rows_of_a_whole_example_sum_to_one() -> None:
    frame = heatmap.tidy(patterned_maps(SHORT), SETTINGS, [1], 1, np.arange(9))
    sums = frame.groupby(["model", "query"])["probability"].sum()
    np.testing.assert_allclose(sums, 1.0, atol=1e-5)


def test_map_has_tokens_on_both_axes_and_a_fixed_scale(axes) -> None:
    maps = patterned_maps(SHORT)
    picture = heatmap.head_map(maps, "teacher", 2, 3, np.arange(9))
    np.testing.assert_array_equal(picture, maps.teacher[1, 2])
    image = heatmap.draw_map(axes, picture, maps.tokens, 0.7, LARGE)
    assert words(axes.get_xticklabels()) == words(axes.get_yticklabels()) == SHORT
    assert image.get_clim() == (0.0, 0.7)
    np.testing.assert_array_equal(image.get_array(), picture)


def test_labels_are_short_and_never_formulas(axes) -> None:
    tokens = ["$x$", "internationalisation"]
    heatmap.draw_map(axes, np.eye(2, dtype=np.float32), tokens, 1.0, LARGE)
    assert words(axes.get_xticklabels()) == ["$x$", "internation…"]
    assert not any(label.get_parse_math() for label in axes.get_xticklabels())


def test_type_fits_the_number_of_tokens(axes) -> None:
    sizes = []
    for count in (5, 20, 30):
        picture = np.zeros((count, count), np.float32)
        heatmap.draw_map(axes, picture, ["a"] * count, 1.0, LARGE)
        sizes.append(axes.get_xticklabels()[0].get_fontsize())
        assert sizes[-1] * count <= LARGE * 72
    assert sizes[0] > sizes[1] > sizes[2] >= 4


def test_one_colour_bar_explains_the_colours(axes) -> None:
    image = heatmap.draw_map(axes, np.eye(2, dtype=np.float32), "ab", 1.0, LARGE)
    heatmap.color_bar(axes.figure, image, [axes], shrink=1.0)
    assert axes.figure.axes[-1].get_ylabel() == "attention probability"


def test_model_title() -> None:
    assert heatmap.model_title("internal", SETTINGS) == "Internal KD (Exp3.2)"


def test_remarks_are_broken_to_the_width() -> None:
    (text,) = heatmap.wrapped(["word " * 60], 2.0)
    assert max(map(len, text.splitlines())) <= 46
    assert text.split() == ["word"] * 60
