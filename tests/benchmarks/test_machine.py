import pytest

from benchmarks import machine


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ("flags\t\t: fpu avx2 avx512f avx512_bf16", True),
        ("flags\t\t: fpu avx2 avx512f", False),
        ("Features\t: fp asimd bf16", True),
    ],
)
def test_bf16_instructions_are_read_from_the_processors_flags(
    flags, expected, tmp_path, monkeypatch
):
    file = tmp_path / "cpuinfo"
    file.write_text(f"model name\t: Some CPU\n{flags}\n")
    monkeypatch.setattr(machine, "CPUINFO", file)
    assert machine.has_bf16_instructions() is expected
    assert machine.processor().startswith("Some CPU, ")
    assert ("avx512f" in machine.processor()) == ("avx512f" in flags)


def test_no_cpuinfo_means_no_bf16(tmp_path, monkeypatch):
    monkeypatch.setattr(machine, "CPUINFO", tmp_path / "none")
    assert not machine.has_bf16_instructions()


def test_matmul_rate_is_that_of_a_processor():
    assert 1e8 < machine.matmul_rate() < 1e13
