"""Command `plan`: what a study costs, before any of it is done."""

from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from internal_kd.commands.command import run_command, study_parser, workflow_options
from internal_kd.planning.costs import Costs
from internal_kd.planning.plan import make_plan, plan_json, plan_text, write_plan
from internal_kd.planning.workflow import read_jobs


def main(argv: Sequence[str]) -> int:
    """Run the command and return its exit status."""
    parser = study_parser(
        "plan", "Show which jobs of a study remain to be done, and what they cost."
    )
    parser.add_argument(
        "--out", type=Path, help="CSV file to write the plan to; .md is written beside it"
    )
    return run_command(parser, _plan, argv)


def _plan(args: Namespace) -> str:
    found = read_jobs(workflow_options(args))
    plan = make_plan(found.jobs, Costs(found.study))
    if args.out is not None:
        write_plan(plan, args.out)
    return plan_json(plan) if args.json else plan_text(plan)
