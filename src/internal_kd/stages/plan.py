"""Stage `plan`: what a study costs, before any of it is done."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from internal_kd.planning.costs import Costs
from internal_kd.planning.jobs import read_jobs
from internal_kd.planning.plan import make_plan
from internal_kd.planning.plan_layout import plan_text, write_plan
from internal_kd.stages.cli import run_stage
from internal_kd.stages.workflow_arguments import add_workflow_arguments
from internal_kd.study.config import study_of


def add_arguments(parser: ArgumentParser) -> None:
    """Arguments of the stage."""
    add_workflow_arguments(parser)
    parser.add_argument(
        "--out", type=Path, required=True, help="table to write; .md comes beside it"
    )


def main(args: Namespace) -> None:
    """Write the plan and print it; settings: config, outputs, rerun_triggers."""
    told = args.settings
    jobs = read_jobs(told["config"], told, args.snakefile, args.python)
    plan = make_plan(jobs, Costs(study_of(told["config"])))
    write_plan(plan, args.out)
    print(plan_text(plan))


if __name__ == "__main__":
    run_stage("internal_kd.stages.plan", add_arguments, main)
