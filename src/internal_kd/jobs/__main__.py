"""The program of the workflow's jobs: `python -m internal_kd.jobs JOB ...`."""

import sys
from importlib import import_module

from internal_kd.jobs.cli import USER_ERROR, run_job

# Each is a module of this package, which is imported only when the job is called.
JOBS = (
    *("agnostic", "attention", "attention_maps", "base", "corpus", "data", "distill", "embedded"),
    *("index", "pretrain", "product", "report", "student", "teacher", "timings"),
)


def main(words: list[str]) -> int:
    """Do the job that the first word names, with the others as its arguments.

    Returns:
        The exit status, if there is no such job; a job that fails ends the process.
    """
    usage = f"usage: python -m internal_kd.jobs JOB ...\n\njobs: {', '.join(JOBS)}"
    if words[:1] in (["-h"], ["--help"]):
        print(f"{usage}; JOB --help has its options")
        return 0
    if not words or words[0] not in JOBS:
        given = f"unknown job '{words[0]}'" if words else "a job is missing"
        print(f"error: {given}; known: {', '.join(JOBS)}", file=sys.stderr)
        return USER_ERROR
    run_job(import_module(f"internal_kd.jobs.{words[0]}").JOB, words[1:])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
