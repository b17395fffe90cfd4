"""What is used of Snakemake and torch beyond their documentation is in one place each."""

import inspect
import re

import pytest
import snakemake.api  # noqa: F401  before the others, which import each other
import torch
from snakemake.dag import DAG
from snakemake.persistence.file import FilePersistence
from snakemake.workflow import Workflow

from internal_kd import torch_internals

RULES = "workflow/rules/internals.smk"
OF_WORKFLOW = {
    *("current_basedir", "deployment_settings", "dryrun", "execution_settings", "global_resources"),
    *("group_settings", "is_main_process", "local_exec", "main_snakefile", "persistence"),
    *("register_resource", "resource_settings", "rules"),
}


def uses_of_snakemake(text: str) -> set[str]:
    """Attributes of Snakemake's workflow in a rule file, but for those in comments."""
    code = "\n".join(line.partition("#")[0] for line in text.splitlines())
    return set(re.findall(r"(?<![\w/\"])workflow\.(?!rst\b|smk\b)(\w+)", code))


def test_only_one_rule_file_uses_snakemakes_internals(root):
    files = [root / "Snakefile", *(root / "workflow").rglob("*.smk"), root / "workflow/Snakefile"]
    users = {
        str(file.relative_to(root)) for file in files if uses_of_snakemake(file.read_text("utf-8"))
    }
    assert users == {RULES}


def test_snakemake_still_has_what_that_file_uses(root):
    used = uses_of_snakemake((root / RULES).read_text("utf-8"))
    assert used == OF_WORKFLOW | {"dag"}
    set_when_made = inspect.getsource(Workflow)
    for name in used:
        assert hasattr(Workflow, name) or re.search(rf"\b_?{name}\b", set_when_made), name
    assert "_lockfile" in inspect.getsource(FilePersistence)
    assert {"unlock", "started"} <= set(dir(FilePersistence))
    assert {"bfs", "needrun_jobs", "depending"} <= {*dir(DAG), *_made_in(DAG)}


def _made_in(kind: type) -> set[str]:
    return set(re.findall(r"self\.(\w+)", inspect.getsource(kind.__init__)))


def test_only_one_module_uses_torchs_internals(root):
    users = {
        file.name
        for file in (root / "src").rglob("*.py")
        if re.search(r"\btorch\._\w|from torch\._|import torch\._", file.read_text("utf-8"))
    }
    assert users == {"torch_internals.py"}


@pytest.mark.parametrize(
    ("kernel", "optimizer"),
    [
        (torch_internals.fused_adam, torch.optim.Adam),
        (torch_internals.fused_adamw, torch.optim.AdamW),
    ],
)
def test_torchs_kernels_take_the_step_of_its_optimizers(kernel, optimizer):
    torch.manual_seed(0)
    start, gradient = torch.randn(5), torch.randn(5)
    parameter = start.clone().requires_grad_()
    parameter.grad = gradient.clone()
    optimizer([parameter], lr=0.1, weight_decay=0.01, fused=True).step()
    own, mean, square = start.clone(), torch.zeros(5), torch.zeros(5)
    kernel(
        [own],
        [gradient],
        [mean],
        [square],
        [],
        [torch.tensor(1.0)],
        lr=0.1,
        beta1=0.9,
        beta2=0.999,
        weight_decay=0.01,
        eps=1e-8,
        amsgrad=False,
        maximize=False,
    )
    assert torch.equal(own, parameter.detach())


def test_tensors_are_added_to_in_place():
    tensors = [torch.zeros(()), torch.ones(2)]
    torch_internals.add_to_each(tensors, 1)
    assert [tensor.tolist() for tensor in tensors] == [1.0, [2.0, 2.0]]


def test_the_limit_of_recompilations_is_that_of_torchs_compiler():
    from torch._dynamo import config

    before = config.recompile_limit, config.accumulated_recompile_limit
    try:
        torch_internals.allow_recompilations(17)
        assert (config.recompile_limit, config.accumulated_recompile_limit) == (17, 17)
    finally:
        config.recompile_limit, config.accumulated_recompile_limit = before
