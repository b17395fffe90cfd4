# What a job requests of its machine or its cluster, and which jobs share an allocation. No rules here.
from internal_kd.devices import visible_gpus
from internal_kd.study.needs import needs

RESOURCES = STUDY.config.resources.by_rule
os.environ.update(INTERNAL_KD_RUNS_PER_GPU=str(STUDY.config.runs_per_gpu))


# A limit on GPUs holds for one machine; jobs on a cluster's machines are not counted together.
resource_scopes:
    gpu="local",


def packed(wildcards):
    """Group of a task's students, where the profile packs some of them into one allocation."""
    group = f"students_{wildcards.task}"
    return group if is_packed(group) else None


# On this machine no more trainings start than its GPUs take; without GPUs, as many as there are cores.
limit_on_this_machine("gpu", visible_gpus() * STUDY.config.runs_per_gpu)
