"""Figure 11."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from internal_kd.errors import UserError
from internal_kd.evaluation.attention_maps import save_maps
from internal_kd.reporting.figures import heads
from internal_kd.reporting.figures.heads import write_heads
from internal_kd.specs.figures import HeadsSettings
from tests.reporting.figures.attention_patterns import (
    LONG,
    SETTINGS,
    SHORT,
    drawn,
    patterned_maps,
    words,
)

FIRST = HeadsSettings(**vars(SETTINGS), task="qqp", head=1)
ROLES = ("teacher", "internal", "standard")


@pytest.fixture
def write(tmp_path):
    """Write patterned maps and give their path."""

    def write_maps(tokens, **sizes):
        save_maps(tmp_path / "maps.npz", patterned_maps(tokens, **sizes))
        return tmp_path / "maps.npz"

    return write_maps


def test_rows_are_layers_and_columns_models(monkeypatch, write) -> None:
    found = drawn(monkeypatch, heads, write_heads, write(SHORT, layers=3), FIRST, "fig11.csv")
    maps = patterned_maps(SHORT, layers=3)
    assert len(found.axes) == 9
    for place, axes in enumerate(found.axes):
        layer, role = place // 3, ROLES[place % 3]
        np.testing.assert_array_equal(axes.images[0].get_array(), getattr(maps, role)[layer, 0])
    scales = {axes.images[0].get_clim() for axes in found.axes}
    highest = max(getattr(maps, role)[:, 0].max() for role in ROLES)
    assert scales == {(0.0, float(highest))}
    assert (
        words(found.axes[0].get_yticklabels()) == words(found.axes[-1].get_xticklabels()) == SHORT
    )


def test_titles(monkeypatch, write) -> None:
    found = drawn(monkeypatch, heads, write_heads, write(SHORT, layers=2), FIRST, "fig11.csv")
    kl = patterned_maps(SHORT, layers=2)
    assert [axes.get_title() for axes in found.axes] == [
        "Teacher (Exp1.0)\nlayer 2",
        f"Internal KD (Exp3.2)\nlayer 1: KL {kl.internal_head_kl[0, 0]:.3f}",
        f"Standard KD (Exp2.0)\nlayer 1: KL {kl.standard_head_kl[0, 0]:.3f}",
        "layer 4",
        f"layer 2: KL {kl.internal_head_kl[1, 0]:.3f}",
        f"layer 2: KL {kl.standard_head_kl[1, 0]:.3f}",
    ]
    assert "head 1 of each layer" in found.remarks
    assert found.remarks.endswith(SETTINGS.note)


def test_files(tmp_path, write) -> None:
    out = tmp_path / "figures/fig11.csv"
    write_heads(write(LONG, layers=1, heads=1), FIRST, out)
    assert {path.name for path in out.parent.iterdir()} == {"fig11.csv", "fig11.pdf", "fig11.png"}
    assert set(pd.read_csv(out)["model"]) == set(ROLES)


@pytest.mark.parametrize("layers", [6, 12])
def test_deep_students_show_fewer_tokens_of_long_examples(monkeypatch, write, layers) -> None:
    found = drawn(monkeypatch, heads, write_heads, write(LONG, layers=layers), FIRST, "fig11.csv")
    assert len(found.axes) == 3 * layers
    shown = len(found.axes[0].images[0].get_array())
    assert 15 <= shown < 30
    assert f"tokens {shown} are shown" in found.remarks
    assert sorted(set(found.frame["layer"])) == list(range(1, layers + 1))


def test_default_is_the_last_head(monkeypatch, write) -> None:
    settings = replace(FIRST, head=None)
    found = drawn(monkeypatch, heads, write_heads, write(SHORT), settings, "fig11.csv")
    assert set(found.frame["head"]) == {4}


@pytest.mark.parametrize("head", [0, 5])
def test_head_out_of_range_is_reported(tmp_path, write, head) -> None:
    message = rf"figures\.fig11\.head: {head} is out of range; .* from 1 to 4"
    with pytest.raises(UserError, match=message):
        write_heads(write(SHORT), replace(FIRST, head=head), tmp_path / "fig11.csv")
