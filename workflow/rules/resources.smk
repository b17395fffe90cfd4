# What a job asks of its machine or its cluster. No rules here.
RESOURCES = STUDY.config["resources"]


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
