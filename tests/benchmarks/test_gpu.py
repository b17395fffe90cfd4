"""The benchmark of a GPU goes its whole way on a CPU with a small model."""

import pandas as pd
import pytest
import torch

from benchmarks import gpu
from benchmarks.gpu_steps import Bench, matmul_rate, parts
from tests.benchmarks.workloads import SMALL

CPU = torch.device("cpu")
FEW = ["--batch-size", "4", "--large", "8", "--batches", "2", "--passes", "1", "--tasks", "cola"]


def test_its_table(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.setitem(gpu.SHAPES, SMALL.name, SMALL)
    out = tmp_path / "some" / "gpu.csv"
    options = ["--device", "cpu", "--shape", SMALL.name, "--modes", "eager", "--out", str(out)]
    assert gpu.main([*options, *FEW]) == 0
    table = pd.read_csv(out)
    assert len(table) == 2 * len(parts(SMALL.student_layers))
    assert set(table["experiment"]) == {"exp2.0", "exp3.2", "exp3.4"}
    share = table["needed_gflop"] / table["step_ms"] / table["bf16_matmul_tflops"]
    assert table["matmul_share"].to_numpy() == pytest.approx(share.to_numpy(), rel=1e-3)
    assert (4000 / table["examples_per_second"]).to_numpy() == pytest.approx(
        table["step_ms"].to_numpy(), rel=1e-3
    )
    shown = capsys.readouterr().out
    assert len(shown.splitlines()) == len(table) + 1
    assert "launch_share" in shown


def test_without_a_gpu_it_refuses(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert gpu.main(["--out", str(tmp_path / "gpu.csv")]) == 2
    assert capsys.readouterr().err == gpu.NO_GPU + "\n"
    assert not (tmp_path / "gpu.csv").exists()


def test_earlier_stages_need_less() -> None:
    bench = Bench(SMALL, "qqp", CPU, 4, 2)
    output, _, first, last = parts(SMALL.student_layers)
    assert [part.name for part in (output, first, last)] == [
        "output",
        "layers 1 to 1",
        "layers 1 to 2",
    ]
    assert bench.needed(first) < bench.needed(last) == bench.needed(output)


def test_matmul_rate() -> None:
    assert 1e8 < matmul_rate(CPU, "fp32", repetitions=2) < 1e14
