# The study, where its files lie, and what the rules have in common. No rules here.
import gc
import json
import os
import re
import sys

from snakemake.common.configfile import load_configfile
from snakemake.io import contains_wildcard
from snakemake.utils import update_config

# All that Snakemake has imported stays; collecting garbage there takes a tenth of planning.
gc.freeze()

SOURCE = ROOT / "src"
sys.path.insert(0, str(SOURCE))
from internal_kd.errors import UserError
from internal_kd.study import job_environment
from internal_kd.study.description import refuse

job_environment.prepare_environment(SOURCE, cores())
try:
    job_environment.require_packages(job_environment.FOR_PLANNING)
except UserError as mistake:
    refuse(mistake)

import msgspec

from internal_kd import manifests
from internal_kd.devices import visible_gpus
from internal_kd.specs.config import encode_config
from internal_kd.specs.jobs import encode
from internal_kd.specs.agnostic import NAME as AGNOSTIC_NAME
from internal_kd.specs.runs import NAME as RUN_NAME
from internal_kd.specs.runs import Run
from internal_kd.study import files, settings
from internal_kd.study.analysis import shown_runs
from internal_kd.study.config import BASES, load
from internal_kd.study.needs import needs
from internal_kd.study.paths import Paths, as_options
from internal_kd.study.planned import PlannedCode, planned
from internal_kd.study.settings import as_json

# Another workflow that uses these rules hands over its own config, which may omit defaults.
defaults = load_configfile(f"{ROOT}/config.yaml")
update_config(defaults, config)
PLANNED_CONFIG = planned(
    "config", lambda: json.dumps(defaults, default=str), plans=is_main()
)
config = defaults if is_main() else json.loads(PLANNED_CONFIG)

# Conda environments of rules have a Python and packages of their own.
try:
    STUDY = load(config)
    if not has_environments():
        job_environment.use_this_python()
        job_environment.require_packages(job_environment.PACKAGES)
except UserError as mistake:
    refuse(mistake)

RESULTS = STUDY.results
PATHS = Paths(STUDY)
CODE = PlannedCode(STUDY, plans=is_main())
RESOURCES = STUDY.config.resources.by_rule
os.environ.update(
    INTERNAL_KD_REQUIRE_GPU=str(int(STUDY.config.require_gpu)),
    INTERNAL_KD_RUNS_PER_GPU=str(STUDY.config.runs_per_gpu),
)


wildcard_constraints:
    task="|".join(STUDY.tasks),
    base="|".join(BASES),
    init=settings.INIT_NAME,
    layers=r"\d+",
    percent=r"\d+",
    seed=r"\d+",
    model="|".join(map(re.escape, STUDY.agnostic)) or "none",
    example=r"\d+",


# A limit on GPUs holds for one machine; jobs on a cluster's machines are not counted together.
resource_scopes:
    gpu="local",


# On this machine no more trainings start than its GPUs take; without GPUs, as many as there are cores.
limit_on_this_machine("gpu", visible_gpus() * STUDY.config.runs_per_gpu)

# How a job starts. Conda environments do not have the package, and Snakemake takes PYTHONPATH away from
# their jobs.
START = (
    'PYTHONPATH="$INTERNAL_KD_SOURCE${{PYTHONPATH:+:$PYTHONPATH}}"'
    " INTERNAL_KD_GPUS={resources.gpu:q} python -m internal_kd.jobs "
)
OPTIONS = "--log {log:q} --code {params.code:q} --settings {params.settings:q}"


def command(job, arguments):
    """The command of a job; what all jobs get goes before its own arguments."""
    return f"{START}{job} {OPTIONS} {arguments}"


def environment(file):
    """A rule's conda environment, also where words in braces are part of this folder's path."""
    if not contains_wildcard(str(ROOT)):
        return file
    path = os.path.normpath(f"{ROOT}/workflow/rules/{file}")
    return path.replace("{", "{{").replace("}", "}}")


TRAIN = environment("../../envs/train.yaml")
ANALYSIS = environment("../../envs/analysis.yaml")


def packed(wildcards):
    """Group of a task's students, where the profile packs some of them into one allocation."""
    if wildcards.get("experiment") in (None, STUDY.teacher.name):
        return None
    group = f"students_{wildcards.task}"
    return group if is_packed(group) else None


def as_inputs(paths):
    """Files of the user as inputs of a rule, but for those that Snakemake would misread.

    It takes a word in braces for a wildcard and one in angle brackets for a part of a path, wherever
    they stand.
    """
    readable = (path for path in map(str, paths) if not contains_wildcard(path))
    return [path for path in readable if not re.search("<[a-z][a-z0-9_]*>", path)]


def run_of(wildcards):
    """The run that wildcards name."""
    return msgspec.convert(dict(wildcards.items()), Run, strict=False)


def teacher_files(wildcards):
    """Files of the teacher that a student run learns from, if it needs one."""
    return PATHS.teacher_files(run_of(wildcards))


def shown(wildcards):
    """Teacher, standard and internal KD, of which single examples are shown."""
    return shown_runs(STUDY, wildcards.task)
