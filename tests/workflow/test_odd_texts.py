"""Texts of a config that could be commands, patterns or formulas are taken as they are."""

import csv
import json
import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.faults import forked
from tests.jobs.tiny_study import write_base
from tests.study.configs import merged
from tests.workflow.fake_results import write_fake_results
from tests.workflow.snakemake import copy_project
from tests.workflow.tiny import STUDY, write_texts

pytestmark = pytest.mark.slow

COMMANDS = "$(touch RUN)`touch RUN`;touch RUN&touch RUN|touch RUN #"
SIGNS = "a b'c\"d\\e(f)[g]!ü*?$HOME"
FOLDER = f"{SIGNS}{COMMANDS}<x>{{y}}"  # Snakemake itself does not work in one with {0}
INPUTS = f"{FOLDER}{{0}}{{{{z}}}}"
RESULTS = f"results/{SIGNS}{COMMANDS}"
EXPERIMENT = "größe+1@実験=2"
FIGURE = "größe+1@実験=2"
LABEL = "=1+1 $\\frac{kl}$ {wildcards} {output} $ `touch RUN` \\"
ODD = merged(
    STUDY,
    {
        "study": "größe+1",
        "results": RESULTS,
        "base_model": {"path": f"model {INPUTS}"},
        "data": {"path": f"text {INPUTS}"},
        "experiments": {
            EXPERIMENT: {"label": LABEL, "internal": {"cls_cosine": 1.0}, "output": {"soft": 1.0}},
            "exp2.0": {"label": "-2+3|{x}"},
        },
        "table1": {"experiments": ["exp1.0", "exp1.1", "exp2.0", EXPERIMENT]},
        "comparison": {"internal": EXPERIMENT},
        "figures": {
            FIGURE: {"kind": "convergence", "task": "rte", "experiments": [EXPERIMENT]},
            "fig4": {"task": "rte", "experiments": [EXPERIMENT]},
        },
    },
)
# A Python that only records its arguments.
ECHO = """#!/bin/sh
for word in "$@"; do printf '%s\\0' "$word" >> "$RECEIVED"; done
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    """A study full of odd texts, in a checkout of an odd name."""
    folder = tmp_path_factory.mktemp("odd") / FOLDER
    folder.mkdir()
    copy_project(folder)
    write_base(folder / f"model {INPUTS}", layers=4)
    write_texts(folder / f"text {INPUTS}" / "rte")
    (folder / "odd.yaml").write_text(yaml.safe_dump(ODD, allow_unicode=True), encoding="utf-8")
    return folder


def run(project: Path, *arguments: str) -> str:
    source = {"PYTHONPATH": str(project / "src")}
    options = [*arguments[:-1], "--configfile", "odd.yaml", "--", arguments[-1]]
    done = forked.run("snakemake", options, project, source)
    assert done.status == 0, done.text
    return done.text


def test_every_command_receives_each_text_as_one_argument(project, tmp_path):
    """The commands of all jobs, as a shell runs them."""
    planned = run(project, "-n", "-p", "all")
    commands = re.findall(r"^Shell command: (.* -m .+)$", planned, re.MULTILINE)
    assert len(commands) > 25
    python, received = tmp_path / "python", tmp_path / "received"
    python.write_text(ECHO)
    python.chmod(0o755)
    added = {"PATH": f"{tmp_path}:/usr/bin:/bin", "RECEIVED": str(received)}
    environment = os.environ | added | {"INTERNAL_KD_PYTHON": str(python)}
    for command in commands:
        subprocess.run(command, shell=True, cwd=project, env=environment, check=True)
    words = received.read_text(encoding="utf-8").split("\0")[:-1]
    assert not list(project.rglob("RUN"))
    assert not (tmp_path / "RUN").exists()
    assert words.count("internal_kd.jobs") == len(commands)
    for word in words:
        if SIGNS[:3] in word and not word.startswith(("{", "..", "/")):
            assert word.startswith(f"{RESULTS}/"), word
    settings = [json.loads(word) for word in words if word.startswith("{")]
    texts = json.dumps(settings, ensure_ascii=False)
    assert json.dumps(LABEL, ensure_ascii=False) in texts
    assert json.dumps(f"model {INPUTS}", ensure_ascii=False) in texts


def test_base_model_and_data_of_an_odd_name_are_read(project):
    run(project, "--cores", "1", f"{RESULTS}/data/rte/tokens.npz")
    assert (project / RESULTS / "base/model.safetensors").is_file()
    assert not list(project.rglob("RUN"))


def test_tables_and_figures_show_the_texts_as_they_are(project):
    write_fake_results(project, ODD)
    run(project, "--cores", "1", f"{RESULTS}/table1.csv")
    run(project, "--cores", "1", f"{RESULTS}/figures/{FIGURE}.csv")
    with open(project / RESULTS / "table1.csv", encoding="utf-8", newline="") as file:
        cells = {cell for row in csv.DictReader(file) for cell in row.values()}
    assert {f"'{LABEL}", "'-2+3|{x}"} <= cells
    assert not list(project.rglob("RUN"))
