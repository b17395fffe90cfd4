# All that the workflow uses of Snakemake beyond its documentation; tests/test_internals.py checks it.
# No rules here.
import os
from contextlib import suppress
from pathlib import Path


def source_folder():
    """Folder of the main file, also where another workflow uses its rules."""
    return Path(workflow.current_basedir.get_path_or_uri(secret_free=True)).resolve()


def main_file():
    """The file that Snakemake was called with."""
    return os.path.relpath(workflow.main_snakefile)


def is_main():
    """Whether this process plans; a job's own Snakemake reads the workflow once more."""
    return workflow.is_main_process


def executes():
    """Whether this process plans and also executes; one that makes a report does not."""
    return workflow.is_main_process and workflow.execution_settings is not None


def is_dry_run():
    """Whether nothing is executed after planning."""
    return workflow.dryrun


def takes_locks():
    """Whether this process keeps others from the working directory."""
    return workflow.is_main_process and workflow.execution_settings.lock


def has_environments():
    """Whether rules have environments of their own (`--sdm`)."""
    return bool(workflow.deployment_settings.deployment_method)


def cores():
    """Cores of this machine that jobs may use; None on a cluster."""
    return workflow.resource_settings.cores


def outputs_by_rule():
    """Numbers of files that a job of each rule makes."""
    return {rule.name: len(rule.output) for rule in workflow.rules}


def is_packed(group):
    """Whether the profile packs jobs of this group into one allocation."""
    return group in workflow.group_settings.group_components


def limit_on_this_machine(resource, amount):
    """Let no more jobs run here than the resource permits, unless the user has set a number."""
    if workflow.local_exec and resource not in workflow.global_resources and amount:
        workflow.register_resource(resource, amount)


def remove_only_own_locks():
    """At its end Snakemake would remove all locks in the working directory, also those of others."""
    locks = getattr(workflow.persistence, "_lockfile", None)
    if locks is None:
        return

    def remove():
        for file in locks.values():
            with suppress(FileNotFoundError):
                os.remove(file)

    workflow.persistence.unlock = remove


def invalidate_downstream():
    """Have the next call rebuild what was made from former outputs of jobs that failed.

    Snakemake deletes the outputs of a failed job and notes its parameters as if it had ended well:
    tables that were made before, with other settings, would pass for up to date.
    """
    dag = workflow.dag
    lost = [
        job for job in dag.needrun_jobs() if not any(map(os.path.exists, job.output))
    ]
    for job in dag.bfs(dag.depending, *lost):
        if any(map(os.path.exists, job.output)):
            workflow.persistence.started(job)
