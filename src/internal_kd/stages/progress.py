"""Stage `progress`: what of a study is done, running, failed and to do."""

from argparse import ArgumentParser, Namespace

from internal_kd.planning.costs import Costs
from internal_kd.planning.jobs import read_jobs
from internal_kd.planning.progress import make_progress
from internal_kd.planning.progress_layout import progress_text
from internal_kd.stages.cli import run_stage
from internal_kd.stages.workflow_arguments import add_workflow_arguments
from internal_kd.study.config import study_of


def add_arguments(parser: ArgumentParser) -> None:
    """Arguments of the stage."""
    add_workflow_arguments(parser)


def main(args: Namespace) -> None:
    """Print the progress; settings: config, outputs, rerun_triggers."""
    told = args.settings
    jobs = read_jobs(told["config"], told, args.snakefile, args.python)
    print(progress_text(make_progress(jobs, Costs(study_of(told["config"])))))


if __name__ == "__main__":
    run_stage("internal_kd.stages.progress", add_arguments, main)
