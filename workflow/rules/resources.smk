# What a job asks of its machine or its cluster, and which jobs share an allocation. No rules here.
from internal_kd.devices import visible_gpus

RESOURCES = STUDY.config["resources"]
os.environ.update(INTERNAL_KD_RUNS_PER_GPU=str(STUDY.config["runs_per_gpu"]))


# A limit on GPUs holds for one machine; jobs on a cluster's machines are not counted together.
resource_scopes:
    gpu="local",


def needs(rule):
    """Resources of a rule; memory and time limit grow with every attempt."""
    return {
        "gpu": RESOURCES[rule]["gpu"],
        "mem_mb": growing(rule, "mem_mb"),
        "runtime": growing(rule, "runtime"),
    }


def growing(rule, key):
    """A resource of a rule, the task's own where it has one, times the number of the attempt."""

    def value(wildcards, attempt):
        own = (RESOURCES[rule].get("per_task") or {}).get(wildcards.get("task"), {})
        return own.get(key, RESOURCES[rule][key]) * attempt

    return value


def packed(wildcards):
    """Group of a task's students, where the profile packs some of them into one allocation."""
    group = f"students_{wildcards.task}"
    return group if group in workflow.group_settings.group_components else None


# On this machine no more trainings start than its GPUs take; without GPUs, as many as there are cores.
if workflow.local_exec and "gpu" not in workflow.global_resources and visible_gpus():
    workflow.register_resource("gpu", visible_gpus() * STUDY.config["runs_per_gpu"])
