import json

import pytest

from internal_kd.errors import UserError
from internal_kd.specs.runs import Run
from internal_kd.study.config import load
from tests.study.configs import merged, read_config, read_study

KL_ONLY = {"label": "kl", "internal": {"attention_kl": 1.0}, "output": {"soft": 1.0}}

GRID = {
    "vary": {
        "objective": {"vanilla": {}, "hidden": {"internal": {"hidden_mse": 1.0}}},
        "start": {"lower": {"init": "lower"}, "upper": {"init": "upper"}},
    },
    "common": {"output": {"soft": 0.5, "hard": 0.5}},
}


def grid(**changes):
    """A study's section with one grid, changed."""
    return {"grids": {"objectives": merged(GRID, changes)}}


# What was changed in the default config -> the key and the remedy that the sentence must name.
MISTAKES = {
    "unknown key": ({"seedz": [0]}, "seedz: unknown key; did you mean 'seeds'?"),
    "unknown nested key": (
        {"student": {"training": {"epoch": 3}}},
        "student.training.epoch: unknown key; did you mean 'epochs'?",
    ),
    "number that YAML reads as a text": (
        {"teacher": {"training": {"learning_rate": "2e-5"}}},
        "teacher.training.learning_rate: is the text '2e-5', not a number; write 2.0e-5",
    ),
    "number with exponent but without sign": (
        {"teacher": {"training": {"weight_decay": "1E2"}}},
        "not a number; write 1.0e+2",
    ),
    "section emptied": ({"teacher": None}, "teacher: is null; it must be a mapping"),
    "section replaced": ({"student": 3}, "student: is 3; it must be a mapping"),
    "unknown task": ({"tasks": ["cola", "qpq"]}, "tasks: unknown task 'qpq'; did you mean 'qqp'?"),
    "no tasks": ({"tasks": []}, "tasks: is empty"),
    "task twice": ({"tasks": ["rte", "rte"]}, "tasks: 'rte' is listed more than once"),
    "seed twice": ({"seeds": [1, 2, 1]}, "seeds: 1 is listed more than once"),
    "no seeds": ({"seeds": []}, "seeds: is empty; put at least one entry there"),
    "negative seed": ({"seeds": [-1]}, "seeds[0]: is -1; it must be at least 0"),
    "unknown experiment in the table": (
        {"table1": {"experiments": ["exp3.4", "exp34"]}},
        "table1.experiments: unknown experiment 'exp34'; did you mean 'exp3.4'?",
    ),
    "task in the table only": (
        {"table1": {"tasks": ["qnli"]}},
        "table1.tasks: unknown task 'qnli'",
    ),
    "paper's values beside generated data": (
        {"table1": {"paper_values": True}},
        "table1.paper_values: scores on the embedded tasks cannot be compared",
    ),
    "unknown loss": (
        {"experiments": {"exp3.0": {"internal": {"atention_kl": 1.0}}}},
        "experiments.exp3.0.internal.atention_kl: unknown objective; did you mean 'attention_kl'?",
    ),
    "unknown schedule": (
        {"experiments": {"exp3.3": {"schedule": "progresive"}}},
        "experiments.exp3.3.schedule: 'progresive' is not allowed; did you mean 'progressive'?",
    ),
    "unknown loss in a grid": (
        grid(vary={"objective": {"hidden": {"internal": {"hiden_mse": 1.0}}}}),
        "grids.objectives.vary.objective.hidden.internal.hiden_mse: unknown objective; did you",
    ),
    "wrong value in a grid": (
        grid(vary={"start": {"upper": {"init": "uper"}}}),
        "grids.objectives.vary.start.upper.init: 'uper' is not allowed; did you mean 'upper'?",
    ),
    "key that no level has": (
        grid(vary={"start": {"upper": {"kind": "teacher"}}}),
        "grids.objectives.vary.start.upper.kind: unknown key",
    ),
    "label of all experiments of a grid": (
        grid(common={"label": "all"}),
        "grids.objectives.common.label: unknown key",
    ),
    "experiments of a grid without an output loss": (
        grid(common={"output": None}),
        "grids.objectives.common.output: no output loss, so the classifier is never trained",
    ),
    "schedule that does not fit all of a grid": (
        grid(common={"schedule": "two_stage"}),
        "grids.objectives: experiment vanilla-lower: a two_stage schedule trains layer by layer",
    ),
    "factor without levels": (
        grid(vary={"start": {"lower": None, "upper": None}}),
        "grids.objectives.vary.start: all levels are null; write at least one",
    ),
    "factors that set the same key": (
        grid(vary={"mapping": {"last": {"layer_map": "last", "init": "upper"}}}),
        "grids.objectives.vary.mapping: start sets init, too; let one factor set it",
    ),
    "task of a grid": (
        grid(tasks=["qnli"]),
        "grids.objectives.tasks: unknown task 'qnli'",
    ),
    "table of a grid that there is not": (
        grid() | {"reports": ["objectives", "mappings"]},
        "reports: mappings cannot be made, because no grid varies mapping; remove it",
    ),
    "figure of a grid that there is not": (
        {"figures": {"own": {"kind": "start_slopes"}}},
        "figures.own: a figure of kind start_slopes needs a grid that varies objective and start;",
    ),
    "experiment of a grid that exists": (
        grid() | {"experiments": {"hidden-upper": {"label": "another", "output": {"soft": 1.0}}}},
        "grids.objectives: more than one experiment is named hidden-upper; rename a level",
    ),
    "experiment of a grid with a long name": (
        grid(vary={"start": {"u" * 99: {"init": "last"}}}),
        f"grids.objectives: experiment vanilla-{'u' * 99} has too long a name; shorten the names",
    ),
    "single layers and all of them": (
        {"experiments": {"exp3.0": {"layer_map": "all"}}},
        "experiments.exp3.0.internal.attention_kl: compares single layers, so it does not fit "
        "layer_map: all; write another map, or one of cls_mse, hidden_mse",
    ),
    "unknown start": (
        {"experiments": {"exp2.0": {"init_from": "teachr"}}},
        "experiments.exp2.0.init_from: unknown start 'teachr'; did you mean 'teacher'?",
    ),
    "random layers of a teacher": (
        {"experiments": {"exp2.0": {"init_from": "teacher", "init": "random"}}},
        "experiments.exp2.0.init: random copies no layer, so there is nothing to take from",
    ),
    "trained pooler below an untrained head": (
        {"experiments": {"exp2.0": {"init_from": "teacher", "head_init": "teacher_start"}}},
        "experiments.exp2.0.head_init: teacher_start is the head of the untrained teacher",
    ),
    "a teacher that starts from itself": (
        {"experiments": {"exp1.0": {"init_from": "teacher"}}},
        "experiments.exp1.0.init_from: 'teacher' is for students, which have a teacher; write base",
    ),
    "a teacher with its own head": (
        {"experiments": {"exp1.0": {"head_init": "teacher"}}},
        "experiments.exp1.0.head_init: 'teacher' is for students, which have a teacher; write rand",
    ),
    "unknown initialisation": (
        {"experiments": {"exp3.3": {"init": "uper"}}},
        "experiments.exp3.3.init: 'uper' is not allowed; did you mean 'upper'?",
    ),
    "too few layers listed": (
        {"experiments": {"exp2.0": {"init": [2, 4]}}},
        "experiments.exp2.0.init: is [2, 4]; name 3 layers (student.layers) between 1 and 8",
    ),
    "too deep a layer in a map": (
        {"experiments": {"exp3.0": {"layer_map": [2, 4, 9]}}},
        "experiments.exp3.0.layer_map: is [2, 4, 9]; name 3 layers (student.layers) between 1 and "
        "8",
    ),
    "unknown map of layers": (
        {"experiments": {"exp3.0": {"layer_map": "reverse"}}},
        "experiments.exp3.0.layer_map: 'reverse' is not allowed; did you mean 'reversed'?",
    ),
    "teachers of other seeds than the students'": (
        {"seeds": [0, 1, 2], "teacher": {"seeds": [0, 1]}},
        "teacher.seeds: is [0, 1], but the students' seeds are [0, 1, 2]; write one seed, or the "
        "same list",
    ),
    "reading of an unknown experiment": (
        {"experiments": {"exp3.4": {"reading_of": "exp33"}}},
        "experiments.exp3.4.reading_of: unknown student experiment 'exp33'; did you mean 'exp3.3'?",
    ),
    "reading of itself": (
        {"experiments": {"exp3.4": {"reading_of": "exp3.4"}}},
        "experiments.exp3.4.reading_of: an experiment cannot be a reading of itself",
    ),
    "held-out share that is too large": (
        {"selection": {"split": "holdout", "share": 0.9}},
        "selection.share: is 0.9; it must be at most 0.5",
    ),
    "comparison with an unknown experiment": (
        {"comparison": {"internal": "exp32"}},
        "comparison.internal: unknown student experiment 'exp32'; did you mean 'exp3.2'?",
    ),
    "comparison with the teacher": (
        {"comparison": {"standard": "exp1.0"}},
        "comparison.standard: unknown student experiment 'exp1.0'",
    ),
    "comparison of an experiment with itself": (
        {"comparison": {"standard": "exp3.2"}},
        "comparison.internal: 'exp3.2' is comparison.standard too; name another experiment",
    ),
    "layer count above the base model's": (
        {"sweeps": {"layers": {"counts": [1, 9]}}},
        "sweeps.layers.counts[1]: is 9, but the base model has only 8 layers; write at most 8",
    ),
    "layer sweep of a student with listed layers": (
        {"experiments": {"exp2.0": {"init": [3, 5, 8]}}},
        "sweeps.layers.counts: exp2.0 starts from 3 listed base layers and has no other depth",
    ),
    "layer sweep of a student with listed teacher layers": (
        {"experiments": {"exp3.2": {"layer_map": [8, 5, 3]}}},
        "sweeps.layers.counts: exp3.2 learns from 3 listed teacher layers and has no other depth",
    ),
    "layer sweep with too few epochs": (
        {"comparison": {"internal": "exp3.4"}, "sweeps": {"layers": {"counts": [8]}}}
        | {"student": {"training": {"epochs": 8}}, "tasks": ["rte"]},
        "sweeps.layers.counts: 8 layers need 9 epochs with exp3.4, but there are 8 on rte",
    ),
    "layer sweep on an unknown task": (
        {"sweeps": {"layers": {"tasks": ["qnli"]}}},
        "sweeps.layers.tasks: unknown task 'qnli'",
    ),
    "fraction above one": (
        {"sweeps": {"data_size": {"fractions": [1.5]}}},
        "sweeps.data_size.fractions[0]: is 1.5; it must be at most 1",
    ),
    "fraction of a percent": (
        {"sweeps": {"data_size": {"fractions": [0.125]}}},
        "sweeps.data_size.fractions[0]: 0.125 is not a whole percentage; write 0.12",
    ),
    "data sweep on an unknown task": (
        {"sweeps": {"data_size": {"tasks": ["qqq"]}}},
        "sweeps.data_size.tasks: unknown task 'qqq'; did you mean 'qqp'?",
    ),
    "figure without what its kind needs": (
        {"figures": {"new": {"kind": "convergence", "task": "rte"}}},
        "figures.new.experiments: missing; a figure of kind convergence needs it",
    ),
    "figure with a key of another kind": (
        {"figures": {"fig2": {"head": 3}}},
        "figures.fig2.head: a figure of kind parameters does not have it; it has task",
    ),
    "figure of an unknown task": (
        {"figures": {"fig2": {"task": "qpq"}}},
        "figures.fig2.task: unknown task 'qpq'; did you mean 'qqp'?",
    ),
    "figure of an unknown experiment": (
        {"figures": {"fig4": {"experiments": ["exp3.9"]}}},
        "figures.fig4.experiments: unknown student experiment 'exp3.9'",
    ),
    "figure of an unknown kind": (
        {"figures": {"fig4": {"kind": "convergances"}}},
        "figures.fig4.kind: 'convergances' is not allowed; did you mean 'convergence'?",
    ),
    "layer that the base does not have": (
        {"experiments": {"exp2.0": {"init": [2, 4, 6, 9]}}},
        "between 1 and 8",
    ),
    "misspelt experiment in an overlay": (
        {"experiments": {"exp3.33": {"head_init": "random"}}},
        "experiments.exp3.33.label: this key is missing",
    ),
    "name unfit for a path": (
        {"experiments": {"my exp": {"label": "x", "output": {"soft": 1}}}},
        "experiments.my exp: must be a name of letters",
    ),
    "name that is a number": (
        {"experiments": {4.0: {"label": "x", "output": {"soft": 1}}}},
        "experiments.4.0: must be a name of letters",
    ),
    "negative weight": (
        {"experiments": {"exp3.6": {"output": {"hard": -0.1}}}},
        "experiments.exp3.6.output.hard: is -0.1; it must be greater than 0",
    ),
    "no loss": (
        {"experiments": {"exp2.0": {"output": None}}},
        "experiments.exp2.0.output: no output loss, so the classifier is never trained",
    ),
    "nothing to schedule": (
        {"experiments": {"exp3.4": {"internal": None}}},
        "experiments.exp3.4.internal: a stacked schedule trains layer by layer",
    ),
    "schedule key without schedule": (
        {"experiments": {"exp3.2": {"output_from": "end"}}},
        "exp3.2.output_from: 'end' needs a progressive, stacked or two_stage schedule; write start",
    ),
    "threshold without the cosine loss": (
        {
            "distillation": {"cosine_threshold": 0.1},
            "experiments": {"mine": {**KL_ONLY, "schedule": "stacked"}},
        },
        "experiments.mine.internal: distillation.cosine_threshold needs cls_cosine",
    ),
    "two teachers": (
        {"experiments": {"exp1.1": {"kind": "teacher", "output": None}}},
        "experiments: exactly one experiment must have kind: teacher; found: exp1.0, exp1.1",
    ),
    "teacher with losses": (
        {"experiments": {"exp1.0": {"output": {"soft": 1.0}}}},
        "experiments.exp1.0: a teacher learns from the labels alone",
    ),
    "more layers than the base": (
        {"student": {"layers": 16, "training": {"epochs": 50}, "per_task": None}},
        "student.layers: is 16, but the base model has only 8 layers; write at most 8",
    ),
    "base layers not those that are made": (
        {"base_model": {"layers": 12}},
        "base_model.layers: is 12, but the last of pretraining.stages has 8 layers; write 8",
    ),
    "too few epochs": (
        {"student": {"per_task": {"cola": {"epochs": 3}}}},
        "student.per_task.cola.epochs: 3 epochs are too few for exp3.3: one for each of 3 layers "
        "and one for the output loss; write at least 4",
    ),
    "no epoch remaining for the output loss": (
        {"distillation": {"internal_fraction": 1.0}},
        "distillation.internal_fraction: 1.0 of",
    ),
    "fraction out of range": (
        {"distillation": {"internal_fraction": 1.2}},
        "distillation.internal_fraction: is 1.2; it must be at most 1",
    ),
    "temperature zero": (
        {"distillation": {"temperature": 0}},
        "distillation.temperature: is 0; it must be greater than 0",
    ),
    "negative threshold": (
        {"distillation": {"cosine_threshold": -0.1}},
        "distillation.cosine_threshold: is -0.1; it must be at least 0",
    ),
    "report that does not exist": (
        {"reports": ["table1", "table5"]},
        "reports[1]: 'table5' is not allowed; did you mean 'table4'?",
    ),
    "readings without any": (
        {"reports": ["readings"]},
        "reports: readings cannot be made, because no experiment has reading_of; remove it",
    ),
    "unknown signal source": (
        {"distillation": {"signals": {"source": "disk"}}},
        "distillation.signals.source: 'disk' is not allowed; known: auto, live, stored",
    ),
    "warm-up only": (
        {"teacher": {"training": {"warmup_fraction": 1.0}}},
        "teacher.training.warmup_fraction: is 1.0; it must be less than 1",
    ),
    "wrong keep": (
        {"student": {"training": {"keep": "bets"}}},
        "student.training.keep: 'bets' is not allowed; did you mean 'best'?",
    ),
    "unknown optimizer": (
        {"student": {"training": {"optimizer": "sgd"}}},
        "student.training.optimizer: 'sgd' is not allowed; known: adam, adamw",
    ),
    "batch of nothing": (
        {"teacher": {"training": {"batch_size": 0}}},
        "teacher.training.batch_size: is 0; it must be at least 1",
    ),
    "half an epoch": (
        {"teacher": {"training": {"epochs": 2.5}}},
        "teacher.training.epochs: is 2.5; it must be a whole number",
    ),
    "settings of an unknown task": (
        {"teacher": {"per_task": {"colla": {"epochs": 3}}}},
        "teacher.per_task.colla: unknown task; did you mean 'cola'?",
    ),
    "limit of an unknown split": (
        {"data": {"limit": {"cola": {"dev": 10}}}},
        "data.limit.cola.dev: unknown key",
    ),
    "folder without a path": (
        {"data": {"source": "folder"}},
        "data.path: is null, but data.source is folder; give a folder",
    ),
    "hub without a name": (
        {"base_model": {"source": "hub"}},
        "base_model.path: is null, but base_model.source is hub; give its name on the hub",
    ),
    "path that is not read": (
        {"base_model": {"path": "models/bert"}},
        "base_model.path: is 'models/bert', but base_model.source is embedded",
    ),
    "revision of a folder": (
        {"base_model": {"revision": "main"}},
        "base_model.revision: only the hub has revisions; write null",
    ),
    "missing data folder": (
        {"data": {"source": "folder", "path": "no/such/folder"}},
        "data.path: the folder 'no/such/folder' does not exist",
    ),
    "missing model folder": (
        {"base_model": {"source": "folder", "path": "no/such/model"}},
        "base_model.path: 'no/such/model/config.json' does not exist",
    ),
    "results outside": (
        {"results": "../elsewhere"},
        "results: '../elsewhere' leads out of the working directory",
    ),
    "results among the sources": (
        {"results": "src/results"},
        "results: 'src' holds sources; write results/embedded",
    ),
    "results of another study": (
        {"study": "mine"},
        "results: 'results' belongs to the default study; write results/mine for 'mine'",
    ),
    "resources of an unknown task": (
        {"resources": {"distill": {"per_task": {"colla": {"runtime": 9}}}}},
        "resources.distill.per_task.colla: unknown task; did you mean 'cola'?",
    ),
    "unknown resource": (
        {"resources": {"teacher": {"memory": 3}}},
        "resources.teacher.memory: unknown key",
    ),
    "stage that cannot grow": (
        {
            "pretraining": {
                "stages": [
                    {"layers": 3, "masked": 1, "steps": 1, "from": 0.1, "to": 0.1},
                    {
                        "layers": 8,
                        "masked": 1,
                        "growth": "stack",
                        "steps": 1,
                        "from": 0.1,
                        "to": 0.1,
                    },
                ]
            }
        },
        "pretraining.stages[1].layers: 8 layers cannot grow from 3 by doubling; write 3 or 6",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistake_is_reported_in_one_sentence(name):
    changes, sentence = MISTAKES[name]
    with pytest.raises(UserError) as caught:
        read_study(**changes)
    lines = str(caught.value).splitlines()
    assert [line for line in lines if sentence in line], lines
    assert len(lines) == 1, "follow-up errors confuse"
    assert lines[0].startswith("config: ")


def test_config_problems_are_reported_together():
    with pytest.raises(UserError) as caught:
        read_study(
            seeds=[1, 1],
            tasks=["colla"],
            student={"layers": 9, "training": {"epochs": 12}},
            distillation={"temperature": 0},
            experiments={"exp2.0": {"init": "x"}, "exp3.2": {"output": None}},
        )
    keys = [line.split(": ")[1] for line in str(caught.value).splitlines()]
    assert sorted(keys) == [
        "distillation.temperature",
        "experiments.exp2.0.init",
        "experiments.exp3.2.output",
        "seeds",
        "student.layers",
        "tasks",
    ]


def test_a_map_of_the_last_layer_has_one_turn_at_any_depth():
    turns = {"layer_map": "last", "head_init": "random"}
    changes = {
        "comparison": {"internal": "exp3.4"},
        "sweeps": {"layers": {"counts": [8]}},
        "tasks": ["rte"],
        "table1": {"experiments": ["exp1.0", "exp2.0", "exp3.4"]},
        "figures": {"fig4": None, "fig10": None},
        "student": {"training": {"epochs": 2}},
        "distillation": {"internal_fraction": 0.5},
    }
    assert read_study(**changes, experiments={"exp3.4": turns})
    with pytest.raises(UserError, match=r"8 layers need 9 epochs with exp3\.4"):
        read_study(**changes, experiments={"exp3.4": turns | {"layer_map": "uniform"}})


def test_every_missing_key_is_reported():
    with pytest.raises(UserError) as caught:
        load({})
    assert {line.split(": ")[1] for line in str(caught.value).splitlines()} == set(read_config())


def test_missing_split_of_a_folder(tmp_path):
    (tmp_path / "rte").mkdir()
    (tmp_path / "rte" / "train.parquet").touch()
    with pytest.raises(UserError, match=r"data.path: '.*rte/validation.parquet' \(or .arrow\)"):
        read_study(tasks=["rte"], data={"source": "folder", "path": str(tmp_path)})


def test_model_folder_with_other_layers_and_positions(tmp_path):
    text = json.dumps({"num_hidden_layers": 6, "max_position_embeddings": 32})
    (tmp_path / "config.json").write_text(text)
    (tmp_path / "model.safetensors").write_bytes((2).to_bytes(8, "little") + b"{}")
    with pytest.raises(UserError) as caught:
        read_study(base_model={"source": "folder", "path": str(tmp_path)})
    first, second = str(caught.value).splitlines()
    assert first.startswith("config: base_model.layers: is 8, but the model in")
    assert first.endswith("has 6; write 6")
    assert second.startswith("config: data.max_length: is 64")


def test_broken_model_folder(tmp_path):
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(UserError, match=r"base_model.path: '.*config.json' is not JSON"):
        read_study(base_model={"source": "folder", "path": str(tmp_path)})


@pytest.mark.parametrize(("family", "known"), [("bert", True), ("mpnet", False)])
def test_objectives_need_features_that_the_base_model_gives(tmp_path, family, known) -> None:
    model = {"model_type": family, "num_hidden_layers": 8, "max_position_embeddings": 512}
    (tmp_path / "config.json").write_text(json.dumps(model))
    (tmp_path / "model.safetensors").touch()
    with pytest.raises(UserError) as caught:
        read_study(
            base_model={"source": "folder", "path": str(tmp_path)},
            experiments={"exp3.0": {"internal": {"value_relation_kl": 1.0}}},
        )
    problem = (
        "experiments.exp3.0.internal.value_relation_kl: reads the value of attention, which mpnet "
        "does not give; leave it out or use another base model"
    )
    assert (problem in str(caught.value)) != known


def test_nested_values_of_the_command_line_arrive_as_texts():
    study = read_study(
        student={"layers": "2", "training": {"learning_rate": "1.0e-3", "bucketing": "false"}},
        seeds=["3", "4"],
        base_model={"path": "null"},
        experiments={"exp2.0": {"init": ["4", "8"], "paper_row": "null"}},
        sweeps={"layers": {"counts": []}, "data_size": {"fractions": ["0.5"]}},
    )
    training = study.config.student.training
    assert training.learning_rate == 1e-3
    assert training.bucketing is False
    assert study.seeds == (3, 4)
    assert study.config.base_model.path is None
    assert study.experiments["exp2.0"].init == (4, 8)
    assert study.experiments["exp2.0"].paper_row is None
    assert study.config.sweeps.data_size.fractions == (0.5,)


def test_default_study_has_the_runs_of_table1():
    study = read_study()
    runs = study.runs_of_table1()
    assert len(runs) == len(set(runs)) == 4 + 10 * 4 * len(study.seeds)
    teachers = [run for run in runs if run.experiment == "exp1.0"]
    assert teachers == [Run(task, "exp1.0", 8, 100, 0) for task in study.table1_tasks]


def test_paper_study_is_the_papers():
    study = read_study("paper")
    config = study.config
    assert (config.base_model.path, config.base_model.layers) == ("bert-base-uncased", 12)
    assert config.student.layers == 6
    assert len(study.seeds) == 5
    for role, epochs in ((config.teacher, 10), (config.student, 50)):
        training = role.training
        assert role.per_task is None
        assert training.epochs == epochs
        assert (training.batch_size, training.learning_rate) == (32, 2e-5)
        assert (training.optimizer, training.warmup_fraction) == ("adam", 0.1)
    assert config.data.max_length == 64


def test_experiments_are_the_papers():
    study = read_study()
    shape = {
        name: (dict(exp.internal), dict(exp.output), exp.schedule, exp.output_from, exp.head_init)
        for name, exp in study.experiments.items()
    }
    both = {"attention_kl": 1.0, "cls_cosine": 1.0}
    soft = {"soft": 1.0}
    assert shape == {
        "exp1.0": ({}, {}, "simultaneous", "start", "random"),
        "exp1.1": ({}, {"hard": 1.0}, "simultaneous", "start", "random"),
        "exp2.0": ({}, soft, "simultaneous", "start", "random"),
        "exp2.0t": ({}, soft, "simultaneous", "start", "teacher"),
        "exp3.0": ({"attention_kl": 1.0}, soft, "simultaneous", "start", "random"),
        "exp3.1": ({"cls_cosine": 1.0}, soft, "simultaneous", "start", "random"),
        "exp3.2": (both, soft, "simultaneous", "start", "random"),
        "exp3.3": (both, soft, "progressive", "end", "teacher"),
        "exp3.4": (both, soft, "stacked", "end", "teacher"),
        "exp3.5": (both, soft, "stacked", "start", "random"),
        "exp3.6": (both, {"soft": 1.0, "hard": 0.1}, "stacked", "start", "random"),
    }
    assert {name for name, exp in study.experiments.items() if exp.layer_reduction == "sum"} == {
        "exp3.4",
        "exp3.5",
        "exp3.6",
    }
    assert {exp.init for exp in study.experiments.values()} == {"upper"}
    assert [e.name for e in study.experiments.values() if not e.needs_teacher] == [
        "exp1.0",
        "exp1.1",
    ]


def test_rows_keep_their_order_when_configs_are_merged():
    config = read_config()
    config["experiments"] = dict(reversed(config["experiments"].items()))
    rows = [row.name for row in load(config).table1_experiments]
    assert rows == [row.name for row in read_study().table1_experiments]
