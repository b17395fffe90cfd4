import numpy as np
import pytest

from internal_kd.errors import UserError
from internal_kd.evaluation.attention_maps import AttentionMaps, load_maps, save_maps


def maps() -> AttentionMaps:
    """Two layers, three heads, five tokens."""
    rng = np.random.default_rng(0)
    pictures = rng.dirichlet(np.ones(5), (3, 2, 3, 5)).astype(np.float32)
    kl = np.array([[[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]], [[1, 2, 3], [4, 5, 6]]], np.float32)
    tokens = np.array(["[CLS]", "so", "$x", "##é", "[SEP]"])
    special = np.array([True, False, False, False, True])
    return AttentionMaps(7, tokens, special, np.array([2, 4]), *pictures, *kl)


def test_maps_survive_the_file(tmp_path) -> None:
    save_maps(tmp_path / "maps.npz", maps())
    found, expected = load_maps(tmp_path / "maps.npz"), maps()
    assert found.example == 7
    for name in ("tokens", "special", "teacher_layers", "teacher", "standard", "internal"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
        assert getattr(found, name).dtype == getattr(expected, name).dtype
    np.testing.assert_array_equal(found.head_kl("internal"), expected.internal_head_kl)


def test_divergences_are_means_over_heads_and_layers() -> None:
    assert maps().layer_kl("standard").tolist() == pytest.approx([0.2, 0.5])
    assert maps().mean_kl("standard") == pytest.approx(0.35)
    assert maps().layer_kl("internal").tolist() == [2, 5]
    assert maps().mean_kl("internal") == 3.5


def test_the_file_holds_the_means_too(tmp_path) -> None:
    save_maps(tmp_path / "maps.npz", maps())
    with np.load(tmp_path / "maps.npz") as file:
        assert file["internal_layer_kl"].tolist() == [2, 5]
        assert file["internal_mean_kl"] == 3.5
        assert file["standard_mean_kl"] == pytest.approx(0.35)


def test_same_maps_give_the_same_bytes(tmp_path) -> None:
    for name in ("a", "b"):
        save_maps(tmp_path / name, maps())
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_unrelated_files_are_reported(tmp_path) -> None:
    (tmp_path / "text.npz").write_text("no arrays")
    np.savez(tmp_path / "other.npz", tokens=np.arange(3))
    for name in ("text", "other", "absent"):
        with pytest.raises(UserError, match=rf"{name}\.npz: not a file of attention maps"):
            load_maps(tmp_path / f"{name}.npz")
