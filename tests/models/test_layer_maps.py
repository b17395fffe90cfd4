"""Which layers belong together."""

from itertools import pairwise

import pytest

from internal_kd.errors import UserError
from internal_kd.models.layer_maps import (
    copied_layers,
    distilled_layers,
    group_tops,
    match_layers,
    read_layers,
)

SIZES = [(larger, smaller) for larger in range(1, 25) for smaller in range(1, larger + 1)]


@pytest.mark.parametrize(
    ("larger", "smaller", "expected"),
    [(12, 6, (2, 4, 6, 8, 10, 12)), (8, 3, (3, 5, 8)), (12, 4, (3, 6, 9, 12)), (5, 2, (3, 5))],
)
def test_upper_layers_of_even_groups(larger, smaller, expected):
    assert group_tops(larger, smaller) == expected


@pytest.mark.parametrize("init", ["upper", "lower", "spaced", "last"])
def test_every_start_has_ascending_layers_of_the_base(init):
    for larger, smaller in SIZES:
        chosen = copied_layers(init, larger, smaller)
        assert len(chosen) == smaller
        assert list(chosen) == sorted(set(chosen))
        assert min(chosen) >= 1
        assert max(chosen) <= larger


@pytest.mark.parametrize(
    ("init", "expected"),
    [
        ("upper", (4, 8, 12)),
        ("lower", (1, 2, 3)),
        ("last", (10, 11, 12)),
        ("spaced", (1, 7, 12)),
        ((1, 8, 12), (1, 8, 12)),
        ((2, 2, 2), (2, 2, 2)),
    ],
)
def test_starts_of_three_layers_of_twelve(init, expected):
    assert copied_layers(init, 12, 3) == expected


def test_spaced_layers_begin_with_the_first_and_end_with_the_last():
    for larger, smaller in SIZES:
        if smaller > 1:
            chosen = copied_layers("spaced", larger, smaller)
            distances = {high - low for low, high in pairwise(chosen)}
            assert (chosen[0], chosen[-1]) == (1, larger)
            assert max(distances) - min(distances) <= 1


@pytest.mark.parametrize(
    ("layer_map", "expected"),
    [
        ("uniform", {1: 4, 2: 8, 3: 12}),
        ("reversed", {1: 12, 2: 8, 3: 4}),
        ("last", {3: 12}),
        ("all_to_one", {1: 12, 2: 12, 3: 12}),
        ((5, 1, 5), {1: 5, 2: 1, 3: 5}),
    ],
)
def test_maps_of_three_layers_onto_twelve(layer_map, expected):
    assert match_layers(layer_map, 12, 3) == expected
    assert distilled_layers(layer_map, 3) == tuple(expected)


def test_a_random_map_depends_on_its_seed_alone():
    maps = [match_layers("random", 12, 6, seed) for seed in range(50)]
    assert maps == [match_layers("random", 12, 6, seed) for seed in range(50)]
    assert len({tuple(chosen.values()) for chosen in maps}) > 40
    for chosen in maps:
        assert list(chosen) == [1, 2, 3, 4, 5, 6]
        assert len(set(chosen.values())) == 6
    found = {layer for chosen in maps for layer in chosen.values()}
    assert found == set(range(1, 13))


@pytest.mark.parametrize("layers", [(1, 2), (0, 1, 2), (1, 2, 13), ()])
def test_a_list_that_does_not_fit_is_refused(layers):
    with pytest.raises(UserError, match=r"init: \[.*\] must name 3 layers between 1 and 12"):
        copied_layers(layers, 12, 3)
    with pytest.raises(UserError, match=r"layer_map: \[.*\] must name 3 layers between 1 and 12"):
        match_layers(layers, 12, 3)


@pytest.mark.parametrize("student_layers", [0, 13])
def test_a_student_is_no_larger_than_its_teacher(student_layers):
    with pytest.raises(UserError, match=r"student.layers: .* write 1 to 12"):
        match_layers("uniform", 12, student_layers)


def test_students_of_all_layers_read_each_of_them():
    assert read_layers("all", 4, 2) == {1: 1, 2: 2, 3: 3, 4: 4}
    assert distilled_layers("all", 2) == (1, 2)
    assert read_layers("uniform", 4, 2) == match_layers("uniform", 4, 2)
