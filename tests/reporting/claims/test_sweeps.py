"""Claims about fewer layers and less data, by hand."""

import pytest

from internal_kd.reporting.claims import compression, data_size, scores
from internal_kd.reporting.claims.evidence import Evidence, NoData
from tests.reporting.claims.rte import RTE, evidence_of, read_all, right
from tests.reporting.conftest import PARTS
from tests.reporting.fake_runs import write_fake_run


def parameters_of(layers):
    """Numbers of parameters of a model whose layers have so many."""
    return dict.fromkeys(PARTS, 1) | {"layers": layers}


@pytest.mark.parametrize("half", [True, False])
def test_near_teacher_needs_half_its_parameters(tmp_path, half):
    layers = 400 if half else 150
    for name, n, parameters in (("exp1.0", 8, 800), ("exp3.2", 4, layers)):
        write_fake_run(
            tmp_path,
            "rte",
            name,
            layers=n,
            validation=right(15),
            parameters=parameters_of(parameters),
        )
    evidence = Evidence(read_all(tmp_path), None, RTE)
    if not half:
        with pytest.raises(NoData, match="19% of the teacher's layer parameters, not half"):
            compression.near_teacher_at_half(evidence, "rte")
    else:
        one = compression.near_teacher_at_half(evidence, "rte")
        assert (one.judgement.value, one.judgement.lead) == (0, RTE.margin)
        assert one.remark.endswith("50% of the layer parameters; margin 0.05")


def test_students_are_paired_with_the_teachers_of_their_seeds(tmp_path):
    """Of three seeds with teachers that differ, the students of each differ from it as much."""
    for seed, answers in enumerate((16, 14, 18)):
        teacher, student = right(answers), right(answers - 1)
        options = {"seed": seed, "parameters": parameters_of(800)}
        write_fake_run(tmp_path, "rte", "exp1.0", layers=8, validation=teacher, **options)
        options = {"seed": seed, "parameters": parameters_of(400)}
        write_fake_run(tmp_path, "rte", "exp3.2", layers=4, validation=student, **options)
    evidence = Evidence(read_all(tmp_path), None, RTE)
    lead = scores.teacher_beats_students(evidence, "rte")
    assert lead.judgement.value == pytest.approx(1 / 20)
    assert lead.judgement.verdict == "inconclusive"
    assert "one teacher" not in lead.remark
    near = compression.near_teacher_at_half(evidence, "rte")
    assert near.judgement.value == pytest.approx(-1 / 20)
    assert near.judgement.verdict == "inconclusive"


def test_layer_sweep(tmp_path):
    found = evidence_of(
        tmp_path,
        *[("exp2.0", 4, 100, 16), ("exp2.0", 2, 100, 10), ("exp2.0", 1, 100, 8)],
        *[("exp3.2", 4, 100, 18), ("exp3.2", 2, 100, 15), ("exp3.2", 1, 100, 8)],
    )
    fall = compression.scores_fall_with_layers(found, "rte").judgement.value
    assert fall == pytest.approx(0.4)
    mean = compression.higher_with_fewer_layers(found, "rte").judgement.value
    assert mean == pytest.approx((0.1 + 0.25) / 2)
    assert compression.slower_decay(found, "rte").judgement.value == pytest.approx(0.15)
    one_layer = compression.no_boost_at_one_layer(found, "rte")
    assert (one_layer.judgement.value, one_layer.judgement.lead) == (0, RTE.margin)


def test_size_sweep(tmp_path):
    found = evidence_of(
        tmp_path,
        *[("exp2.0", 4, 100, 16), ("exp2.0", 4, 50, 13), ("exp2.0", 4, 25, 10)],
        *[("exp3.2", 4, 100, 16), ("exp3.2", 4, 50, 15), ("exp3.2", 4, 25, 14)],
    )
    growth = data_size.gap_grows(found, "rte").judgement
    assert growth.value == pytest.approx(0.1)  # gaps 0, 0.1, 0.2: by 0.1 per halving
    every = data_size.higher_at_every_size(found, "rte")
    assert every.judgement.value == 0
    assert every.remark.endswith("smallest at 100 %")
    assert data_size.small_gap_with_all_data(found, "rte").judgement.lead == RTE.margin
