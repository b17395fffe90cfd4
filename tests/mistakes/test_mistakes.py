"""Mistakes of users are reported in one sentence and change no file.

One table of mistakes. `Plan` ones are reported by `snakemake -n`, before anything runs; `Stage`
ones by the command of a rule; `Job` ones go through Snakemake and the process it starts.
"""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from tests.conftest import ROOT
from tests.faults import forked
from tests.faults.study import Command, commands
from tests.jobs.tiny_study import write_base
from tests.mistakes import limits, spoil
from tests.mistakes.spoil import Spoil, column, in_table
from tests.workflow.tiny import STUDY, write_texts

pytestmark = pytest.mark.slow

SNAKEFILE = ("-s", str(ROOT / "Snakefile"))
RESULTS = "results/tiny"
BASE = f"{RESULTS}/base"
TEACHER = f"{RESULTS}/runs/rte/exp1.0/layers4/train100/seed0"
CODE = {"AutoConfig": "evil.C", "AutoModel": "evil.M"}
LOCK = f"{RESULTS}/checkpoints/rte-exp1.0-layers4-train100-seed0.lock"
ANOTHER = TEACHER.replace("seed0", "seed1")
GPU = {"INTERNAL_KD_GPUS": "1", "INTERNAL_KD_REQUIRE_GPU": "1", "CUDA_VISIBLE_DEVICES": ""}
NOT_FINISHED = spoil.without_folder(f"{RESULTS}/checkpoints")
BEGINNINGS = ("config: ", "environment: ", "error: ")


@dataclass(frozen=True)
class Mistake:
    """A mistake and the beginning of its error message, which names the key or the file."""

    message: str
    spoil: Spoil | None = None
    prepare: Callable[[], object] | None = None
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan(Mistake):
    """Reported by `snakemake -n`, with these changes of the config."""

    config: tuple[str, ...] = ()


@dataclass(frozen=True)
class Stage(Mistake):
    """Reported by the command of a rule."""

    command: str = ""


@dataclass(frozen=True)
class Job(Mistake):
    """Reported by Snakemake after a job has failed."""

    target: str = ""
    config: tuple[str, ...] = ()


def config(change: str, message: str, also: str | None = None, **more) -> Plan:
    """A mistake in the config; what is changed `also` is none."""
    changes = (change,) if also is None else (change, also)
    return Plan(f"config: {message}", config=changes, **more)


def file(how: Spoil, message: str, **more) -> Plan:
    """A mistake in the files that the config names."""
    return Plan(f"config: {message}", spoil=how, **more)


def data(how: Spoil, message: str, **more) -> Stage:
    """A mistake in the data."""
    return Stage(f"error: {message}", spoil=how, command="data", **more)


def base(how: Spoil, message: str, **more) -> Stage:
    """A base model that cannot be one."""
    return Stage(f"error: {message}", spoil=how, command="base", **more)


TRAIN, WEIGHTS = "text/rte/train.parquet", "model/model.safetensors"
SMALL = {"hidden_size": 16, "num_attention_heads": 2, "intermediate_size": 32}

MISTAKES: dict[str, Mistake] = {
    # config
    "unknown key": config("seedz=[0]", "seedz: unknown key; did you mean 'seeds'?"),
    "unknown nested key": config(
        "student={training: {epoch: 3}}", "student.training.epoch: unknown key; did you mean 'epo"
    ),
    "text for a number": config(
        "teacher={training: {learning_rate: 2e-5}}",
        "teacher.training.learning_rate: is the text '2e-5', not a number; write 2.0e-5",
    ),
    "number for a list": config("seeds=3", "seeds: is 3; it must be a list"),
    "section without its keys": config("student=null", "student: is null; it must be a mapping"),
    "not a number": config(
        "distillation={temperature: .nan}", "distillation.temperature: is nan; it must be a finite"
    ),
    "infinite weight": config(
        "experiments={exp2.0: {output: {soft: .inf}}}", "experiments.exp2.0.output.soft: is inf;"
    ),
    "unknown task": config("tasks=[rte, qpq]", "tasks: unknown task 'qpq'; did you mean 'qqp'?"),
    "task without data": config(
        "tasks=[rte, cola]", "data.path: the folder 'text/cola' does not exist; put train.parquet"
    ),
    "no tasks": config("tasks=[]", "tasks: is empty; put at least one entry there"),
    "seed twice": config("seeds=[0, 1, 0]", "seeds: 0 is listed more than once; list each"),
    "unknown loss": config(
        "experiments={exp3.0: {internal: {atention_kl: 1.0}}}",
        "experiments.exp3.0.internal.atention_kl: unknown objective; did you mean 'attention_kl'?",
    ),
    "no loss": config(
        "experiments={exp2.0: {output: null}}", "experiments.exp2.0.output: no output loss, so"
    ),
    "schedule without losses": config(
        "experiments={exp3.4: {internal: null}}", "experiments.exp3.4.internal: a stacked schedule"
    ),
    "unknown schedule": config(
        "experiments={exp3.4: {schedule: staked}}",
        "experiments.exp3.4.schedule: 'staked' is not allowed; did you mean 'stacked'?",
    ),
    "two teachers": config(
        "experiments={exp1.1: {kind: teacher, output: null}}",
        "experiments: exactly one experiment must have kind: teacher; found: exp1.0, exp1.1",
    ),
    "unknown row of a table": config(
        "table1={experiments: [exp1.0, exp34]}",
        "table1.experiments: unknown experiment 'exp34'; did you mean 'exp3.4'?",
    ),
    "student compared with itself": config(
        "comparison={standard: exp3.4}", "comparison.internal: 'exp3.4' is comparison.standard too;"
    ),
    "more layers than the base model": config(
        "student={layers: 6, training: {epochs: 9}}",
        "student.layers: is 6, but the base model has only 4 layers; write at most 4",
    ),
    "layer sweep deeper than the base model": config(
        "sweeps={layers: {counts: [5]}}",
        "sweeps.layers.counts[0]: is 5, but the base model has only 4 layers; write at most 4",
        also="student={training: {epochs: 9}}",
    ),
    "list of layers too short": config(
        "experiments={exp1.1: {init: [4]}}", "experiments.exp1.1.init: is [4]; name 2 layers"
    ),
    "too few epochs": config(
        "student={training: {epochs: 2}}", "student.training.epochs: 2 epochs are too few for"
    ),
    "no share": config(
        "sweeps={data_size: {fractions: [0]}}",
        "sweeps.data_size.fractions[0]: is 0; it must be greater than 0",
    ),
    "more than all": config(
        "sweeps={data_size: {fractions: [1.5]}}",
        "sweeps.data_size.fractions[0]: is 1.5; it must be at most 1",
    ),
    "layers' share of the epochs": config(
        "distillation={internal_fraction: 1.2}", "distillation.internal_fraction: is 1.2; it must"
    ),
    "settings of an unknown task": config(
        "teacher={per_task: {rt: {epochs: 3}}}", "teacher.per_task.rt: unknown task; did you mean"
    ),
    "figure of a layer that students do not have": config(
        "figures={fig5: {layer: 3}}", "figures.fig5.layer: is 3, but students have 2 layers; write"
    ),
    "texts longer than the positions": config(
        "data={max_length: 512}",
        "data.max_length: is 512, but the model in 'model' has 64 posit",
        spoil=spoil.bert(max_position_embeddings=64),
    ),
    "heads that do not share the width": config(
        "pretraining={model: {heads: 7}}",
        "pretraining.model.heads: 7 heads do not divide hidden_size 64",
    ),
    "revision of a folder": config(
        "base_model={revision: main}", "base_model.revision: only the hub has revisions; write null"
    ),
    "two GPUs": config(
        "resources={teacher: {gpu: 2}}", "resources.teacher.gpu: is 2; it must be at most 1"
    ),
    "results outside": config("results=../other", "results: '../other' leads out of the working"),
    "results among the sources": config("results=src/tiny", "results: 'src' holds sources; write"),
    "results of a study called as a folder of the workflow": config(
        "results=results/base",
        "results: 'results/base' is used by the default study; write results/base-study",
        also="study=base",
    ),
    "results below a folder of the workflow": config(
        "results=results/runs/mine", "results: 'results/runs' is used by the default study; write"
    ),
    "results called as a table": config(
        "results=results/table1.csv", "results: 'results/table1.csv' is used by the default study;"
    ),
    "results inside those of another study": config(
        "results=results/other/tiny",
        "results: 'results/other/tiny' and '{folder}/results/other', the results of study 'other', "
        "are nested; write results/tiny",
        spoil=spoil.marked("results/other", "other"),
    ),
    "results around those of another study": config(
        "results=all",
        "results: 'all' and '{folder}/all/base', the results of study 'base', are nested",
        spoil=spoil.marked("all/base", "base"),
    ),
    "results of another study": file(
        spoil.marked(RESULTS, "other"),
        f"results: '{RESULTS}' holds the results of study 'other'; write results/tiny, or remove "
        f"'{RESULTS}/.internal-kd.lock' if 'other' is a former name of 'tiny'",
    ),
    "results by a link among the sources": config(
        "results=away/tiny",
        "results: 'studies' holds sources; write results/tiny",
        spoil=spoil.link("away", str(ROOT / "studies")),
    ),
    "results in the history of git": config(
        "results=.git/tiny", "results: '.git' holds sources; write results/tiny"
    ),
    "results with an empty part": config(
        "results=results//tiny", "results: 'results//tiny' has empty parts or '.'; write results/t"
    ),
    "results that start like an option": config(
        "results=--forceall", "results: is '--forceall'; it must be a folder name that begins with"
    ),
    "results in a home by its sign": config(
        "results=~/tiny", "results: is '~/tiny'; it must be a folder name that begins with neither"
    ),
    "results with a line end": file(
        spoil.in_study(results="results/tiny\n"),
        "results: is 'results/tiny\\n'; it must be a folder name that begins with neither",
    ),
    "results with a wildcard": config(
        "results=results/{task}", "results: is 'results/{task}'; it must be a folder name that beg"
    ),
    "a name with a line end": file(
        spoil.in_study(study="tiny\n"),
        "study: is 'tiny\\n'; it must be a name of letters, digits and '._-+=@' that begins",
    ),
    "an experiment that is a command": config(
        "experiments={'a;b': {label: x, output: {hard: 1}}}",
        "experiments.a;b: must be a name of letters, digits and '._-+=@' that begins with",
    ),
    "a figure in another folder": config(
        "figures={../fig: {kind: attention_kl}}",
        "figures.../fig: must be a name of letters, digi",
    ),
    "a figure that takes the file of another": config(
        "figures={calibration_summary: {kind: attention_kl}}",
        "figures.calibration_summary: figure 'calibration' writes a file of this name; choose an",
    ),
    "a label that clears the screen": config(
        'experiments={exp2.0: {label: "\\e[2Jx"}}',
        "experiments.exp2.0.label: is '\\x1b[2Jx'; it must be a text of one line, without control",
    ),
    "a label of two lines": config(
        'experiments={exp2.0: {label: "x\\ny"}}',
        "experiments.exp2.0.label: is 'x\\ny'; it must be a text of one line",
    ),
    "a key that clears the screen": config(
        'student={"\\e[2J": 1}', "student.\\x1b[2J: unknown key;"
    ),
    "a model that starts like an option": config(
        "base_model={path: --help}", "base_model.path: is '--help'; it must be a folder or a name"
    ),
    "a model among the results": config(
        f"base_model={{path: {BASE}}}",
        f"base_model.path: '{BASE}' is in the results folder of this study, which is overwritten;",
    ),
    "data among the results": config(
        "data={path: away/text}",
        "data.path: 'away/text' is in the results folder of this study, which is overwritten; copy",
        spoil=spoil.both(
            spoil.link("away", f"{RESULTS}/data"),
            lambda folder: shutil.copytree(folder / "text", folder / RESULTS / "data/text"),
        ),
    ),
    # files that the config names
    "results where a file is": config(
        "results=tiny.yaml/here", "results: '{folder}/tiny.yaml' is a file, not a folder; name"
    ),
    "results that cannot be written": config(
        "results=locked/tiny",
        "results: '{folder}/locked' cannot be written to; change its",
        spoil=lambda folder: (folder / "locked").mkdir(0o500),
        prepare=limits.obey_permissions,
    ),
    "no folder of data": config(
        "data={path: txt}", "data.path: the folder 'txt' does not exist; it should hold rte/train"
    ),
    "split missing": file(
        spoil.without(TRAIN), f"data.path: '{TRAIN}' (or .arrow) is missing; put the train split"
    ),
    "data cut off": file(spoil.cut_off(TRAIN), f"data.path: '{TRAIN}' is cut off; copy or"),
    "data of another format": file(
        spoil.content(TRAIN, b"a,b\n1,2\n"), f"data.path: '{TRAIN}' is not a Parquet file; copy or"
    ),
    "no folder of the model": config(
        "base_model={path: modle}", "base_model.path: 'modle/config.json' does not exist; give a"
    ),
    "weights missing": file(
        spoil.without(WEIGHTS),
        "base_model.path: 'model' has no model.safetensors; copy or download",
    ),
    "weights cut off": file(spoil.cut_off(WEIGHTS), f"base_model.path: '{WEIGHTS}' is cut off ("),
    "weights that are a web page": file(
        spoil.content(WEIGHTS, b"<!doctype html><title>404</title>"),
        f"base_model.path: '{WEIGHTS}' is not a safetensors file; copy or download it again",
    ),
    "config.json damaged": file(
        spoil.cut_off("model/config.json", 20), "base_model.path: 'model/config.json' is not JSON;"
    ),
    "a decoder": file(
        spoil.in_json("model/config.json", is_decoder=True),
        "base_model.path: the model in 'model' is not an encoder (is_decoder in its config.json)",
    ),
    "depth of another model": config(
        "base_model={layers: 2}", "base_model.layers: is 2, but the model in 'model' has 4; write 4"
    ),
    # data
    "column missing": data(
        in_table("train", spoil.renamed("sentence2", "sentence_2")),
        f"{TRAIN}: column 'sentence2' is missing; rename 'sentence_2' to it",
    ),
    "label outside the range": data(
        in_table("validation", column("label", 2)),
        "text/rte/validation.parquet: label 2 is outside the range 0 to 1; rte has the labels",
    ),
    "labels that are names": data(
        in_table("train", spoil.labels(["entailment"])),
        f"{TRAIN}: column 'label' is string; it must hold integers: 0 = entailment",
    ),
    "row without label": data(
        in_table("train", column("label", 0, -1)), f"{TRAIN}: row 1 is unlabelled (-1); the train"
    ),
    "one class only": data(
        in_table("train", spoil.labels([1])),
        f"{TRAIN}: all 32 training rows have the label 1 (not_entailment); add rows of another",
    ),
    "labels in another order": data(
        in_table("train", spoil.class_names("not_entailment", "entailment")),
        f"{TRAIN}: its labels are not_entailment, entailment in this order, rte needs entailment,",
    ),
    "empty split": data(
        in_table("validation", lambda table: table.slice(0, 0)),
        "text/rte/validation.parquet: the validation split is empty; put at least one row into it",
    ),
    "empty text": data(
        in_table("train", column("sentence1", "w1", " \t")),
        f"{TRAIN}: column 'sentence1' is empty in row 1; remove the row or fill it",
    ),
    "texts that are numbers": data(
        in_table("train", lambda table: column("sentence1", *range(table.num_rows))(table)),
        f"{TRAIN}: column 'sentence1' is int64; it must hold strings",
    ),
    "text that is not UTF-8": data(
        in_table("train", spoil.latin1),
        f"{TRAIN}: column 'sentence1' is not UTF-8 in row 2; write the file in UTF-8",
    ),
    "parts of a split that differ": data(
        spoil.unlike_shards,
        "text/rte/train-00001-of-00002.parquet: its columns or their types are not those of text/",
    ),
    "data damaged inside": data(
        spoil.content(TRAIN, b"PAR1" + bytes(99) + b"PAR1"), f"{TRAIN}: not a readable parquet file"
    ),
    # model
    "not an encoder": base(
        spoil.model("GPT2", n_embd=16, n_head=2, n_layer=4, bos_token_id=2, eos_token_id=3),
        "base_model: GPT2Model has no embeddings that can be found; use an encoder such as BERT",
    ),
    "no access to attention": base(
        spoil.model("SqueezeBert", num_hidden_layers=4, embedding_size=16, **SMALL),
        "base_model: SqueezeBertModel does not use Transformers' attention interface",
    ),
    "tokenizer of another model": base(
        spoil.bert(vocab_size=40), "base_model: its tokenizer has 60 tokens but the model has em"
    ),
    "tokenizer that cannot pad": base(
        spoil.tokenizer_without_padding, "base_model: its tokenizer has no padding token; set pad_"
    ),
    "weights of another shape": base(
        spoil.in_json("model/config.json", vocab_size=70),
        "model: its weights do not fit its config.json, embeddings.word_embeddings.weight is [60, ",
    ),
    "weights of fewer layers": base(
        spoil.in_json("model/config.json", num_hidden_layers=6),
        "model: 32 parameters of its config.json have no weights, such as encoder.layer.4.",
    ),
    "a model with custom code": base(
        spoil.with_code("model/config.json", model_type="evil", auto_map=CODE),
        "base_model.path: 'model' needs custom code (auto_map in its files), which is never",
    ),
    "weights that run a command": base(
        spoil.pickled,
        "model: its weights are a pickle that is damaged or holds more than tensors; save the mo",
    ),
    "weights that are no numbers": base(
        spoil.weights(WEIGHTS, float("nan")), "base_model: its weights embeddings."
    ),
    "weights damaged after they were made": Stage(
        f"error: {BASE}: its weights are damaged (",
        spoil=spoil.cut_off(f"{BASE}/model.safetensors"),
        command="student",
    ),
    "teacher of another vocabulary": Stage(
        f"error: {TEACHER}/model: the teacher's vocabulary has 61 entries but the student's 60;",
        spoil=spoil.classifier(f"{TEACHER}/model", vocab_size=61),
        command="distill-exp2.0",
    ),
    "teacher of another order of labels": Stage(
        f"error: {TEACHER}/model: the teacher's labels are not_entailment, entailment but the data",
        spoil=spoil.in_json(
            f"{TEACHER}/model/config.json", id2label={0: "not_entailment", 1: "entailment"}
        ),
        command="distill-exp2.0",
    ),
    "loss that is NaN": Stage(
        "error: training: the loss became NaN or infinite in epoch 1; lower learning_rate or raise",
        spoil=spoil.weights(f"{RESULTS}/init/upper/layers2/model.safetensors", float("inf")),
        command="distill-exp2.0",
    ),
    # locks
    "a lock that is a link": Stage(
        f"error: {LOCK}: this lock is a link; remove it",
        spoil=spoil.both(NOT_FINISHED, spoil.link(LOCK, "/dev/null")),
        command="teacher-exp1.0",
    ),
    "a lock of another user": Stage(
        f"error: {LOCK}: this lock belongs to user ",
        spoil=spoil.both(NOT_FINISHED, spoil.locked_by_another_user(LOCK)),
        prepare=limits.obey_permissions,
        command="teacher-exp1.0",
    ),
    "results in use": Job(
        f"error: results: another workflow is using '{RESULTS}'; wait for it to end, or name",
        prepare=limits.IN_USE,
        target=f"{ANOTHER}/metrics.json",
        config=("teacher={seeds: [1]}",),
    ),
    "job with custom code": Job(
        "error: base_model.path: 'model' needs custom code (auto_map in its files), which is n",
        spoil=spoil.both(
            spoil.without_folder(BASE),
            spoil.with_code("model/config.json", model_type="evil", auto_map=CODE),
        ),
        target=BASE,
    ),
    # environment
    "package missing": Plan(
        "environment: this Python has no seaborn; install all packages with 'pip install -r",
        prepare=limits.WITHOUT_SEABORN,
    ),
    "no space for a file": data(
        spoil.full(f"{RESULTS}/data/rte/tokens.npz"),
        f"{RESULTS}/data/rte/tokens.npz: No space left on device; make room there, or change",
    ),
    "no space for a log": Stage(
        f"error: {TEACHER}: No space left on device; make room there, or change results in the",
        spoil=spoil.both(
            NOT_FINISHED,
            spoil.full(f"{RESULTS}/logs/teacher/rte-exp1.0-layers4-train100-seed0.log"),
        ),
        command="teacher-exp1.0",
    ),
    "folder that cannot be written": Stage(
        f"error: {RESULTS}/data/rte/tokens.npz: Permission denied; make it accessible, or change",
        spoil=spoil.read_only(f"{RESULTS}/data/rte"),
        prepare=limits.obey_permissions,
        command="data",
    ),
    "no GPU": Stage(
        "error: require_gpu: this job was given a GPU but sees none; check the driver and",
        spoil=NOT_FINISHED,
        environment=GPU,
        command="teacher-exp1.0",
    ),
    # through the whole of it
    "job with a column missing": Job(
        f"error: {TRAIN}: column 'sentence2' is missing; rename 'sentence_2' to it (",
        spoil=spoil.both(
            spoil.without_folder(f"{RESULTS}/data"),
            in_table("train", spoil.renamed("sentence2", "sentence_2")),
        ),
        target=f"{RESULTS}/data/rte/tokens.npz",
    ),
    "job on a full disk": Job(
        f"error: {ANOTHER}: File too large; make room there, or change results in the config (",
        prepare=limits.SMALL_DISK,
        target=f"{ANOTHER}/metrics.json",
        config=("teacher={seeds: [1]}",),
    ),
    "job without its GPU": Job(
        "error: require_gpu: this job was given a GPU but sees none; check the driver and",
        environment={"CUDA_VISIBLE_DEVICES": ""},
        target=f"{ANOTHER}/metrics.json",
        config=("require_gpu=true", "resources={teacher: {gpu: 1}}", "teacher={seeds: [1]}"),
    ),
}


@dataclass(frozen=True)
class Made:
    """A study with a base model, data, an initial student and a teacher, and its commands."""

    folder: Path
    commands: dict[str, Command]


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Made:
    folder = tmp_path_factory.mktemp("made")
    write_base(folder / "model", layers=4)
    write_texts(folder / "text" / "rte")
    (folder / "tiny.yaml").write_text(yaml.safe_dump(STUDY))
    planned = {command.name: command for command in commands(folder, *SNAKEFILE)}
    for name in ("base", "data", "student", "teacher-exp1.0"):
        done = planned[name].run(folder)
        assert done.status == 0, done.text
    return Made(folder, planned)


@pytest.fixture
def study(made, tmp_path) -> Path:
    """A copy of it to be spoilt."""
    return Path(shutil.copytree(made.folder, tmp_path / "study"))


def results_of(study: Path) -> dict[str, bytes]:
    """Content of every file in the folder of results, but for logs, locks, progress and signals."""
    folder = study / "results"
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
        and not file.name.endswith((".log", ".lock", ".progress.json"))
        and "signals" not in file.parts
    }


def run(mistake: Mistake, study: Path, made: Made) -> forked.Done:
    """Run what reports the mistake."""
    more = (mistake.environment, mistake.prepare)
    if isinstance(mistake, Stage):
        command = made.commands[mistake.command]
        environment = {**command.environment, **mistake.environment}
        return forked.run(command.module, command.arguments, study, environment, mistake.prepare)
    assert isinstance(mistake, Plan | Job)
    how = ("-n",) if isinstance(mistake, Plan) else ("--cores", "1")
    changes = ("--config", *mistake.config) if mistake.config else ()
    target = mistake.target if isinstance(mistake, Job) else f"{RESULTS}/table1.csv"
    argv = [*how, *SNAKEFILE, "--configfile", "tiny.yaml", *changes, "--", target]
    return forked.run("snakemake", argv, study, *more)


def sentences(text: str) -> list[str]:
    """What the terminal shows of mistakes; at the end where Snakemake repeats it there."""
    shown = text.rpartition("Exiting because a job execution failed")[2]
    return [line for line in shown.splitlines() if line.startswith(BEGINNINGS)]


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_one_sentence_and_changes_nothing(name, study, made):
    mistake = MISTAKES[name]
    if mistake.spoil is not None:
        mistake.spoil(study)
    before = results_of(study)
    done = run(mistake, study, made)
    assert done.status == (2 if isinstance(mistake, Stage) else 1), done.text
    assert "Traceback" not in done.text
    messages = sentences(done.text)
    assert len(messages) == 1, done.text
    assert messages[0].startswith(mistake.message.replace("{folder}", str(study)))
    assert "; " in messages[0], "no remedy"
    assert results_of(study) == before
    assert not (study / "RUN").exists()


def test_enough_different_mistakes_are_listed():
    assert len(MISTAKES) >= 40
    assert len({mistake.message for mistake in MISTAKES.values()}) >= 40
    assert sum(isinstance(mistake, Plan) for mistake in MISTAKES.values()) >= 12


def test_all_problems_of_one_config_are_reported_together(study, made):
    """Those of keys, of combinations and of files."""
    spoil.cut_off(WEIGHTS)(study)
    layers, files = "student={layers: 6, training: {epochs: 9}}", "data={path: nowhere}"
    changes = ("seeds=[1, 1]", layers, "distillation={temperature: 0}", files)
    done = run(Plan("", config=changes), study, made)
    keys = [line.split(": ")[1] for line in sentences(done.text)]
    expected = ["base_model.path", "data.path", "distillation.temperature", "seeds"]
    assert sorted(keys) == [*expected, "student.layers"]


def test_examples_in_two_splits_are_counted_in_a_warning(study, made):
    train = pq.read_table(study / TRAIN)
    in_table("validation", lambda table: pa.concat_tables([table.slice(5), train.slice(0, 5)]))(
        study
    )
    command = made.commands["data"]
    done = command.run(study)
    assert done.status == 0
    assert done.text == "rte: 5 of 24 validation rows are also in train\n"
    assert done.text in (study / command.log).read_text()
