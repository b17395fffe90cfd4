# The study, the paths of its files, and the settings of each rule. No rules here.
import gc
import json
import os
import re
import shutil
import sys
from dataclasses import asdict
from pathlib import Path

from snakemake.common.configfile import load_configfile
from snakemake.io import contains_wildcard
from snakemake.utils import update_config

# All that Snakemake has imported stays; collecting garbage there takes a tenth of planning.
gc.freeze()

SOURCE = ROOT / "src"
sys.path.insert(0, str(SOURCE))
# Keep freed memory: requesting it again takes an eighth of a training step on a CPU.
MALLOC = {
    "MALLOC_MMAP_THRESHOLD_": "1073741824",
    "MALLOC_TRIM_THRESHOLD_": "4294967296",
    "MALLOC_TOP_PAD_": "67108864",
}
for name, value in MALLOC.items():
    os.environ.setdefault(name, value)


def trusted(path):
    """Folders of modules without the working directory, which may hold anything."""
    return [folder for folder in path if Path(folder).resolve() != Path.cwd()]


sys.path[:] = trusted(sys.path)
TRUSTED = trusted(os.environ.get("PYTHONPATH", "").split(os.pathsep))
os.environ.update(
    INTERNAL_KD_PYTHON=sys.executable,
    INTERNAL_KD_SOURCE=str(SOURCE),
    PYTHONPATH=os.pathsep.join(dict.fromkeys([str(SOURCE), *TRUSTED])),
    PYTHONSAFEPATH="1",
    PYTHONUTF8="1",  # whatever the locale
    MPLBACKEND="Agg",  # a notebook names one that a job does not have
)

# How a job starts. Conda environments do not have the package, and Snakemake takes PYTHONPATH away from
# their jobs.
START = (
    'PYTHONPATH="$INTERNAL_KD_SOURCE${{PYTHONPATH:+:$PYTHONPATH}}"'
    " INTERNAL_KD_GPUS={resources.gpu:q} python -m internal_kd.stages."
)


def command(stage, arguments):
    """The command of a job."""
    return f"{START}{stage} {arguments}"


# Trainings show their epochs on a terminal only where they run one after the other.
if cores() != 1:
    os.environ.setdefault("INTERNAL_KD_PROGRESS", "0")

from internal_kd import expected_files, manifests
from internal_kd.errors import UserError
from internal_kd.fingerprint import code_fingerprint
from internal_kd.specs import runs
from internal_kd.specs.jobs import encode
from internal_kd.study import analysis, contents, failures, files, settings
from internal_kd.study.config import load
from internal_kd.study.expectations import Expectations, Expected
from internal_kd.study.packages import require_packages
from internal_kd.study.products import write_expectations
from internal_kd.study.reports import reports
from internal_kd.specs.runs import Run

SCHEMA = ROOT / "workflow" / "schemas" / "config.schema.yaml"


def planned(name, value):
    """A text as it was when the jobs were planned.

    A job on a cluster reads this workflow once more when it starts, perhaps days later; what has
    been edited meanwhile must not slip in under the old plan.
    """
    variable = f"INTERNAL_KD_PLANNED_{name.upper()}"
    if is_main() or variable not in os.environ:
        os.environ[variable] = value()
    return os.environ[variable]


# Another workflow that uses these rules hands over its own config, which may omit defaults.
defaults = load_configfile(f"{ROOT}/config.yaml")
update_config(defaults, config)
PLANNED_CONFIG = planned("config", lambda: json.dumps(defaults, default=str))
config = defaults if is_main() else json.loads(PLANNED_CONFIG)

try:
    STUDY = load(config, SCHEMA)
except UserError as mistake:
    refuse(mistake)

os.environ.update(INTERNAL_KD_REQUIRE_GPU=str(int(STUDY.config["require_gpu"])))
# Conda environments of rules have a Python and packages of their own; other jobs use this one, also
# where its environment is not activated.
if not has_environments():
    own = os.path.dirname(sys.executable)
    found = os.environ.get("PATH", os.defpath)
    os.environ.update(PATH=os.pathsep.join([own, found]))
    try:
        require_packages()
    except UserError as mistake:
        refuse(mistake)

RESULTS = STUDY.results
LOGS = f"{RESULTS}/logs"
BENCHMARKS = f"{RESULTS}/benchmarks"
RUN = f"{RESULTS}/{runs.PATTERN}"
RUN_NAME = runs.NAME
CHECKPOINTS = f"{RESULTS}/checkpoints/{RUN_NAME}"
SIGNALS = f"{RESULTS}/signals"
BASE_MODEL = f"{RESULTS}/base"
STUDENT_INIT = f"{RESULTS}/init/{{init}}/layers{{layers}}"
TOKENS = f"{RESULTS}/data/{{task}}/tokens.npz"
EXAMPLES = f"{RESULTS}/data/{{task}}/examples.parquet"
DISTANCES = f"{RESULTS}/attention/{RUN_NAME}.parquet"
MAPS = f"{RESULTS}/attention/{{task}}-example{{example}}.npz"
DATA_MANIFEST = f"{RESULTS}/data/{{task}}/{manifests.NAME}"
DISTANCES_MANIFEST = f"{RESULTS}/attention/{RUN_NAME}.{manifests.NAME}"
MAPS_MANIFEST = f"{RESULTS}/attention/{{task}}-example{{example}}.{manifests.NAME}"

# The generated language only matters where it is used.
UNUSED_BY_DATA = "" if STUDY.config["data"]["source"] == "embedded" else "embedded"

REPORTS = reports(STUDY)
SHOWN = [f"{RESULTS}/{item.shown}" for item in REPORTS]
WRITTEN = set()
TEACHER = re.escape(STUDY.teacher.name)
STUDENTS = "|".join(
    re.escape(name) for name in STUDY.experiments if name != STUDY.teacher.name
)


wildcard_constraints:
    task="|".join(STUDY.tasks),
    init=r"upper|lower|random-[a-z]+-seed\d+|\d+(-\d+)*",
    layers=r"\d+",
    percent=r"\d+",
    seed=r"\d+",
    example=r"\d+",


def stage_code(stage, without=""):
    """Fingerprint of the code that a stage consists of, without a subpackage it does not use."""
    return code_of_modules(f"internal_kd.stages.{stage}", without=without)


def code_of_modules(*modules, without=""):
    """Fingerprint of some modules and of all that they import."""
    name = "code_" + "_".join(modules).replace(".", "_")
    return planned(name, lambda: code_fingerprint(*modules, without=without))


def as_inputs(paths):
    """Files of the user as inputs of a rule, but for those that Snakemake would misread.

    It takes a word in braces for a wildcard and one in angle brackets for a part of a path, wherever
    they stand.
    """
    readable = (path for path in map(str, paths) if not contains_wildcard(path))
    return [path for path in readable if not re.search("<[a-z][a-z0-9_]*>", path)]


def environment(file):
    """A rule's conda environment, also where words in braces are part of this folder's path."""
    if not contains_wildcard(str(ROOT)):
        return file
    path = os.path.normpath(f"{ROOT}/workflow/rules/{file}")
    return path.replace("{", "{{").replace("}", "}}")


def code_of(stage):
    """Fingerprint of the code of any stage, as its rule gets it."""
    return stage_code(stage, UNUSED_BY_DATA if stage == "data" else "")


def code_of_student(name):
    """Fingerprint of the code of an experiment's students: of its own objectives and no others."""
    modules = STUDY.experiments[name].modules
    return code_of_modules("internal_kd.stages.distill", *modules)


EXPECTATIONS = Expectations(STUDY, code_of, code_of_student)


def expected_of(item):
    """The file of what a table or figure should be made from."""
    job = {"settings": item.settings, "code": code_of_modules(*item.modules)}
    return expectations(item.name, job, EXPECTATIONS.report(item.reads))


def expected_of_index(wildcards):
    """The file of what the index should be made from: the tables and figures as they were made."""
    records = (
        expected_files.record_of(expected_files.expected_file(RESULTS, item.name))
        for item in REPORTS
    )
    job = {"settings": CONTENTS, "code": stage_code("index")}
    return expectations("index", job, Expected(shown=tuple(map(str, records))))


def expectations(product, job, expected):
    """The file of what a table or figure should be made from; none where nothing is made.

    Only who plans writes it: when a job starts, much of what its neighbours should be made from has
    been made. A dry run changes it where it is there, so that it shows the tables to be made again.
    """
    path = expected_files.expected_file(RESULTS, product)
    due = executes() and product not in WRITTEN
    if due and (os.path.exists(path) or not is_dry_run()):
        WRITTEN.add(product)
        write_expectations(path, expected, job)
    return path if os.path.exists(path) else []


def run_of(wildcards):
    """The run that wildcards name."""
    return Run(
        task=wildcards.task,
        experiment=wildcards.experiment,
        layers=int(wildcards.layers),
        percent=int(wildcards.percent),
        seed=int(wildcards.seed),
    )


def student_init_of(wildcards):
    """Folder of the model that a student run starts from."""
    experiment = STUDY.experiments[wildcards.experiment]
    init = settings.init_name(experiment, wildcards.task, int(wildcards.seed))
    return STUDENT_INIT.format(init=init, layers=wildcards.layers)


def teacher_of(wildcards):
    """Files of the teacher that a student run learns from, if it needs one."""
    if not STUDY.experiments[wildcards.experiment].needs_teacher:
        return []
    folder = STUDY.teacher_of(run_of(wildcards)).path(RESULTS)
    return [f"{folder}/model", f"{folder}/metrics.json"]


def teacher_option(wildcards):
    """The arguments that name the stage's teacher."""
    teacher = teacher_of(wildcards)
    return ["--teacher", teacher[0]] if teacher else []


def task_files(wildcards):
    """Local files that a task is read from."""
    return as_inputs(files.data_files(STUDY.config["data"], wildcards.task))


def student_init_settings(wildcards):
    """Settings of rule student_init."""
    layers = int(wildcards.layers)
    return settings.as_json(settings.student_init_settings(wildcards.init, layers))


def task_data_settings(wildcards):
    """Settings of rule task_data."""
    return settings.as_json(settings.task_data_settings(STUDY, wildcards.task))


def teacher_settings(wildcards):
    """Settings of rule teacher."""
    return settings.as_json(encode(settings.teacher_job(STUDY, run_of(wildcards))))


def distill_settings(wildcards):
    """Settings of rule distill."""
    return settings.as_json(encode(settings.student_job(STUDY, run_of(wildcards))))


def signals_mb(wildcards, input):
    """Millions of bytes that stored signals of a run may take.

    Snakemake does not count parameters that depend on `input` among its triggers, and so this one: another
    budget is no reason to train a student again.
    """
    return STUDY.config["distillation"]["signals"]["budget_mb"]


def report_mistakes(logs):
    """Repeat the errors of failed stages at the end, after Snakemake's own output."""
    for sentence in failures.sentences(map(Path, logs)):
        print(sentence, file=sys.stderr)


def remove_caches():
    """Remove the kept names of runs' files, and the teachers' signals.

    Snakemake has noted all outputs as complete, so nothing reads them any more.
    """
    for pattern in ("*.finished", "*.finished.partial"):
        for folder in Path(RESULTS, "checkpoints").glob(pattern):
            shutil.rmtree(folder, ignore_errors=True)
    shutil.rmtree(SIGNALS, ignore_errors=True)


def folders(chosen):
    """Folders of runs, as arguments of stages."""
    return [run.path(RESULTS) for run in chosen]


def files_of(chosen, *names):
    """Files of runs, as inputs of rules."""
    return [f"{folder}/{name}" for folder in folders(chosen) for name in names]


def distances_of(chosen):
    """Distances of students from their teachers."""
    return [DISTANCES.format(**asdict(run)) for run in chosen]


def examples_of(tasks):
    """Texts of tasks."""
    return [EXAMPLES.format(task=task) for task in tasks]


def shown(wildcards):
    """Teacher, standard and internal KD, of which single examples are shown."""
    return analysis.shown_runs(STUDY, wildcards.task)
