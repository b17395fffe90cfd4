"""Figure 5."""

from dataclasses import replace

import numpy as np
import pytest

from internal_kd.errors import UserError
from internal_kd.evaluation.attention_maps import save_maps
from internal_kd.reporting.figures import attention
from internal_kd.reporting.figures.attention import write_attention
from internal_kd.specs.figures import AttentionSettings
from tests.reporting.figures.attention_patterns import (
    LONG,
    SETTINGS,
    SHORT,
    drawn,
    patterned_maps,
    words,
)

CHOSEN = AttentionSettings(**vars(SETTINGS), task="qqp", layer=3, head=2)


@pytest.fixture
def write(tmp_path):
    """Write patterned maps and give their path."""

    def write_maps(tokens, **sizes):
        save_maps(tmp_path / "maps.npz", patterned_maps(tokens, **sizes))
        return tmp_path / "maps.npz"

    return write_maps


def test_three_models_side_by_side_on_one_scale(monkeypatch, write) -> None:
    found = drawn(monkeypatch, attention, write_attention, write(SHORT), CHOSEN, "fig5.csv")
    maps = patterned_maps(SHORT)
    images = [axes.images[0] for axes in found.axes]
    for image, role in zip(images, ("teacher", "internal", "standard"), strict=True):
        np.testing.assert_array_equal(image.get_array(), getattr(maps, role)[2, 1])
    highest = max(getattr(maps, r)[2, 1].max() for r in ("teacher", "internal", "standard"))
    assert {image.get_clim() for image in images} == {(0.0, float(highest))}
    assert words(found.axes[0].get_yticklabels()) == SHORT
    assert all(words(axes.get_xticklabels()) == SHORT for axes in found.axes)
    assert len(found.figure.axes) == 4


def test_titles_show_layer_head_and_divergences(monkeypatch, write) -> None:
    found = drawn(monkeypatch, attention, write_attention, write(SHORT), CHOSEN, "fig5.csv")
    maps = patterned_maps(SHORT)
    titles = [axes.get_title().rstrip().split("\n") for axes in found.axes]
    assert titles == [
        ["Teacher (Exp1.0)", "layer 6, head 2"],
        *(
            [
                name,
                f"layer 3, head 2: KL {kl[2, 1]:.3f}",
                f"all layers and heads: KL {kl.mean():.3f}",
            ]
            for name, kl in (
                ("Internal KD (Exp3.2)", maps.internal_head_kl),
                ("Standard KD (Exp2.0)", maps.standard_head_kl),
            )
        ),
    ]


@pytest.mark.parametrize(("layers", "heads", "expected"), [(4, 3, (3, 3)), (1, 2, (1, 2))])
def test_default_is_the_last_head_of_the_last_layer_but_one(
    monkeypatch, write, layers, heads, expected
) -> None:
    settings = replace(CHOSEN, layer=None, head=None)
    maps = write(SHORT, layers=layers, heads=heads)
    found = drawn(monkeypatch, attention, write_attention, maps, settings, "fig5.csv")
    assert set(zip(found.frame["layer"], found.frame["head"], strict=True)) == {expected}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"layer": 5}, r"figures\.fig5\.layer: 5 is out of range; .* from 1 to 4"),
        ({"layer": 0}, r"figures\.fig5\.layer: 0"),
        ({"head": 9}, r"figures\.fig5\.head: 9 is out of range; .* from 1 to 4"),
    ],
)
def test_layer_and_head_out_of_range_are_reported(tmp_path, write, changed, message) -> None:
    with pytest.raises(UserError, match=message):
        write_attention(write(SHORT), replace(CHOSEN, **changed), tmp_path / "fig5.csv")


def test_remarks(monkeypatch, write) -> None:
    found = drawn(monkeypatch, attention, write_attention, write(SHORT), CHOSEN, "fig5.csv")
    assert "Study: small. QQP, row 12 of the development set, models of the first" in found.remarks
    assert found.remarks.endswith(SETTINGS.note)
    assert "tokens" not in found.remarks


def test_long_examples_are_truncated_with_a_remark(monkeypatch, write) -> None:
    found = drawn(monkeypatch, attention, write_attention, write(LONG), CHOSEN, "fig5.csv")
    assert found.axes[0].images[0].get_array().shape == (30, 30)
    assert f"Of the example's {len(LONG)} tokens 30 are shown" in found.remarks
    assert len(found.frame) == 3 * 30 * 30


def test_files(tmp_path, write) -> None:
    write_attention(write(LONG), CHOSEN, tmp_path / "figures/fig5.csv")
    names = {path.name for path in (tmp_path / "figures").iterdir()}
    assert names == {"fig5.csv", "fig5.pdf", "fig5.png"}
