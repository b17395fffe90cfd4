"""Provenance of tables: a finished tiny study, and what people do to one."""

import json
import os
import re
import shutil
from collections.abc import Callable
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from internal_kd.errors import UserError
from internal_kd.manifests import file_hash
from internal_kd.reporting.provenance import check
from tests.faults import forked
from tests.workflow.snakemake import job_counts, snakemake
from tests.workflow.tiny import make_project

pytestmark = pytest.mark.slow

OPTIONS = ("--cores", "2", "--configfile", "tiny.yaml")
RESULTS = Path("results/tiny")
PRODUCTS = {
    *("table1", "table2", "table3", "table4", "significance", "claims", "glue_submission"),
    *(f"figures/fig{number}" for number in (2, 3, 4, 5, 11)),
    *("figures/attention_kl", "figures/calibration"),
}
TEACHER = RESULTS / "runs/rte/exp1.0/layers4/train100/seed0"
SOFT = RESULTS / "runs/rte/exp2.0/layers2/train100/seed0"
STACKED = RESULTS / "runs/rte/exp3.4/layers2/train100/seed0"


def call(folder: Path, *more: str, target: str = "all") -> forked.Done:
    return forked.run("snakemake", [*OPTIONS, *more, "--", target], folder)


@pytest.fixture
def study(finished, tmp_path) -> Path:
    """A copy of it, as it was."""
    return shutil.copytree(finished, tmp_path / "study", symlinks=True)


def expectations(name: str) -> Path:
    return RESULTS / f"provenance/{name}/expected.json"


def planned(folder: Path, *more: str) -> dict[str, int]:
    done = call(folder, "-n", *more)
    assert done.status == 0, done.text
    return job_counts(done.text)


def found(folder: Path) -> tuple[dict[str, str], dict[str, tuple[str, ...]]]:
    """Errors and remarks of each product's own check, if it were made now."""
    refused, remarked = {}, {}
    with chdir(folder):
        for name in sorted(PRODUCTS):
            try:
                remarked[name] = check(expectations(name)).remarks
            except UserError as error:
                refused[name] = str(error)
    return refused, remarked


def test_an_untouched_study_has_no_remark(finished):
    assert planned(finished) == {}
    refused, remarked = found(finished)
    assert refused == {}
    assert set(remarked) == PRODUCTS
    assert not any(remarked.values())
    for page in (finished / RESULTS).rglob("*.md"):
        assert "Attention, " not in page.read_text(encoding="utf-8")
    assert "Attention, " not in (finished / RESULTS / "index.html").read_text(encoding="utf-8")


def test_only_the_index_depends_on_the_location_of_the_checkout(study):
    assert planned(study).keys() <= {"index", "report", "all"}


def clone(study: Path, folder: Path) -> Path:
    """The project elsewhere, with results of `study` and without Snakemake's records of them."""
    folder.mkdir()
    make_project(folder)
    for file in (*(folder / "model").iterdir(), *(folder / "text/rte").iterdir()):
        age(file)
    shutil.copytree(study / RESULTS, folder / RESULTS)
    return folder


def test_results_can_be_moved(finished, tmp_path):
    moved = clone(finished, tmp_path / "elsewhere")
    assert planned(moved).keys() <= {"index", "report", "all"}  # captions lie in the checkout
    refused, remarked = found(moved)
    assert refused == {}
    assert not any(remarked.values())


# Damage: whole products are refused, in one sentence that names the file.


def edit_json(file: Path, change: Callable[[dict], object]) -> None:
    content = json.loads(file.read_text(encoding="utf-8"))
    change(content)
    file.write_text(json.dumps(content), encoding="utf-8")


def better_score(run: Path) -> None:
    edit_json(run / "metrics.json", lambda metrics: metrics["validation"].update(accuracy=1.0))


def better_score_with_its_hash(run: Path) -> None:
    """As somebody would who edits the manifest too."""
    better_score(run)
    file = run / "metrics.json"
    mark = {"hash": file_hash(file), "size": file.stat().st_size}
    edit_json(run / "manifest.json", lambda record: record["files"]["metrics.json"].update(mark))


def exchange(name: str) -> Callable[[Path], None]:
    def do(run: Path) -> None:
        other = TEACHER if run != TEACHER else SOFT
        shutil.copyfile(other / name, run / name)

    return do


def exchange_folder(run: Path) -> None:
    """Rename a run, with all that belongs to it."""
    shutil.rmtree(SOFT)
    shutil.copytree(STACKED, SOFT)


def flipped(name: str) -> Callable[[Path], None]:
    """One bit of a file, which keeps its size and its time."""

    def do(run: Path) -> None:
        file = run / name
        times = file.stat()
        content = bytearray(file.read_bytes())
        content[len(content) // 2] ^= 1
        file.write_bytes(content)
        os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))

    return do


def another_history(run: Path) -> None:
    history = pd.read_csv(run / "history.csv")
    history["validation_accuracy"] = 0.99
    history.to_csv(run / "history.csv", index=False)


def another_prediction(run: Path) -> None:
    table = pd.read_parquet(run / "predictions.parquet")
    table["logit_1"] = table["logit_1"] + 9
    table.to_parquet(run / "predictions.parquet", index=False)


def removed(name: str) -> Callable[[Path], None]:
    return lambda run: (run / name).unlink()


def replaced(name: str, content: str) -> Callable[[Path], object]:
    return lambda run: (run / name).write_text(content, encoding="utf-8")


@dataclass(frozen=True)
class Damage:
    """What is done to a folder, the file that must be named, and who must notice."""

    folder: Path
    do: Callable[[Path], object]
    named: str
    by: frozenset[str] = frozenset({"table1", "table2", "significance", "claims"})


DISTANCES = RESULTS / "attention/rte-exp2.0-layers2-train100-seed0.parquet"
MAPS = RESULTS / "attention/rte-example0.npz"
DATA = RESULTS / "data/rte"
DAMAGES = {
    "an edited score": Damage(SOFT, better_score, "exp2.0.*metrics.json was changed"),
    "an edited score and its hash": Damage(
        SOFT, better_score_with_its_hash, "metrics.json are not those of predictions"
    ),
    "metrics of another run": Damage(SOFT, exchange("metrics.json"), "metrics.json was changed"),
    "predictions of another run": Damage(
        STACKED, exchange("predictions.parquet"), "exp3.4.*predictions.parquet was changed"
    ),
    "edited predictions": Damage(
        TEACHER, another_prediction, "exp1.0.*predictions.parquet was changed"
    ),
    "one run under the name of another": Damage(SOFT, exchange_folder, "exp2.0.*is that of"),
    "an edited history": Damage(STACKED, another_history, "history.csv was changed"),
    "a flipped bit in the teacher's weights": Damage(
        TEACHER, flipped("model/model.safetensors"), "exp1.0.*model.safetensors was changed"
    ),
    "a flipped bit in a student's weights": Damage(
        SOFT, flipped("model/model.safetensors"), "exp2.0.*model.safetensors was changed"
    ),
    "a flipped bit in the data": Damage(DATA, flipped("tokens.npz"), "tokens.npz was changed"),
    "no manifest": Damage(SOFT, removed("manifest.json"), "manifest.json is missing"),
    "not a manifest": Damage(
        STACKED, replaced("manifest.json", "[]"), "manifest.json: not the record of a job"
    ),
    "no predictions": Damage(SOFT, removed("predictions.parquet"), "predictions.parquet"),
    "edited distances": Damage(
        DISTANCES.parent,
        flipped(DISTANCES.name),
        "parquet was changed",
        frozenset({"claims", "figures/attention_kl"}),
    ),
    "edited maps": Damage(
        MAPS.parent, flipped(MAPS.name), "npz was changed", frozenset({"figures/fig5"})
    ),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_damaged_files_are_refused_by_all_that_reads_them(study, name):
    damage = DAMAGES[name]
    with chdir(study):
        damage.do(damage.folder)
    refused, _ = found(study)
    assert damage.by <= refused.keys()
    assert all(re.search(damage.named, refused[product]) for product in damage.by)


def test_damaged_files_rerun_their_tables_and_stop_them(study):
    """Through Snakemake, where no time stamp shows the damage."""
    with chdir(study):
        times = (SOFT / "metrics.json").stat()
        better_score(SOFT)
        os.utime(SOFT / "metrics.json", ns=(times.st_atime_ns, times.st_mtime_ns))
    assert set(planned(study)) >= {"table1", "table2", "significance", "claims", "index"}
    done = call(study, target=str(RESULTS / "table1.csv"))
    assert done.status != 0
    assert "exp2.0/layers2/train100/seed0/metrics.json was changed" in done.text
    assert "Traceback" not in done.text
    assert not (study / RESULTS / "table1.csv").exists()


@pytest.mark.parametrize("name", ["table1.csv", "table3.md", "figures/fig2.csv", "index.html"])
def test_an_edited_product_is_made_again(study, name):
    """With the time of the file that was there."""
    file = study / RESULTS / name
    times, before = file.stat(), file.read_bytes()
    file.write_bytes(before.replace(b"0", b"1"))
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    jobs = planned(study)
    assert jobs
    assert not {"teacher", "distill"} & jobs.keys()
    assert call(study, target=str(RESULTS / name)).status == 0
    assert file.read_bytes() == before


# Deviations: the files are whole, and not what the study would make now.


def other_settings(folder: Path, **training: float) -> None:
    config = yaml.safe_load((folder / "tiny.yaml").read_text(encoding="utf-8"))
    config["student"]["training"].update(training)
    (folder / "tiny.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")


def other_code(folder: Path) -> None:
    file = folder / "src/internal_kd/objectives/attention.py"
    file.write_text(file.read_text(encoding="utf-8") + "\n\nNEW = 1\n", encoding="utf-8")


def another_row(folder: Path) -> None:
    config = yaml.safe_load((folder / "tiny.yaml").read_text(encoding="utf-8"))
    config["table1"]["experiments"].append("exp3.0")
    (folder / "tiny.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")


def page(file: Path) -> str:
    """A text without what Markdown, LaTeX and HTML write before their own signs, in one line."""
    return " ".join(file.read_text(encoding="utf-8").replace("\\", "").split())


def with_remark(folder: Path, words: str) -> set[str]:
    """Products whose record has the remark."""
    home = folder / RESULTS / "provenance"
    remarks = {
        str(file.parent.relative_to(home)): json.loads(file.read_text(encoding="utf-8"))["remarks"]
        for file in home.rglob("manifest.json")
    }
    return {name for name, texts in remarks.items() if any(words in text for text in texts)}


def test_newer_times_add_a_remark_to_every_product_and_to_the_index(study):
    """`--rerun-triggers mtime` keeps trainings with other settings, but not in silence."""
    other_settings(study, learning_rate=5.0e-3)
    done = call(study, "--rerun-triggers", "mtime")
    assert done.status == 0, done.text
    assert " distill " not in done.text
    words = "training.learning_rate 0.001, now 0.005"
    assert with_remark(study, words) == PRODUCTS | {"index"}
    for name in ("table1", "table2", "table3", "table4", "significance", "claims"):
        assert words in page(study / RESULTS / f"{name}.md"), name
    for name in ("table1", "table2", "table3", "table4", "significance"):
        assert words in page(study / RESULTS / f"{name}.tex"), name
    assert words in page(study / RESULTS / "index.html")


def test_a_row_is_added_where_times_alone_count(study):
    other_settings(study, learning_rate=5.0e-3)
    another_row(study)
    done = call(study, "--rerun-triggers", "mtime", target=str(RESULTS / "table1.csv"))
    assert done.status == 0, done.text
    assert job_counts(done.text) == {"distill": 1, "table1": 1}
    table = page(study / RESULTS / "table1.md")
    assert "Exp3.0" in table
    assert "training.learning_rate 0.001, now 0.005 (rte-exp1.1" in table


def test_results_in_a_clone_with_other_code_and_settings(study, tmp_path):
    """Without Snakemake's records, nothing of it is up to date for certain."""
    there = clone(study, tmp_path / "clone")
    other_code(there)
    other_settings(there, epochs=4)
    # In a process that has not imported the code of this checkout.
    done = snakemake(there, *OPTIONS, "--", str(RESULTS / "table1.csv"))
    assert done.returncode == 0, done.stdout
    table = page(there / RESULTS / "table1.md")
    assert "made by another version of the code" in table
    assert "training.epochs 3, now 4" in table


@pytest.mark.parametrize(
    "options",
    [("--touch",), ("--allowed-rules", "table1"), ("--nolock", "--rerun-triggers", "mtime")],
    ids=["touch", "allowed-rules", "nolock"],
)
def test_snakemakes_own_ways_to_keep_files(study, options):
    other_settings(study, learning_rate=5.0e-3)
    target = str(RESULTS / "table1.csv")
    assert call(study, *options, target=target).status == 0
    assert call(study, "--rerun-triggers", "mtime", target=target).status == 0
    table = page(study / RESULTS / "table1.md")
    assert "training.learning_rate 0.001, now 0.005" in table


def test_other_versions_of_packages_side_by_side(study):
    with chdir(study):
        change = {"torch": "1.0.0"}
        edit_json(SOFT / "manifest.json", lambda record: record["versions"].update(change))
    refused, remarked = found(study)
    assert refused == {}
    assert any("torch 1.0.0 (rte-exp2.0" in text for text in remarked["table1"])


def test_a_teacher_made_again_after_its_students(study):
    """Its students learned from another one, which a remark reports."""
    with chdir(study):
        weights = TEACHER / "model/model.safetensors"
        flipped("model/model.safetensors")(TEACHER)
        mark = {"hash": file_hash(weights)}
        edit_json(
            TEACHER / "manifest.json",
            lambda record: record["files"]["model/model.safetensors"].update(mark),
        )
    refused, remarked = found(study)
    assert refused == {}
    assert any("made from other files than are there now" in text for text in remarked["table1"])


# Files of the user: what counts is their content, whatever their time.


def age(file: Path) -> None:
    os.utime(file, (1_000_000_000, 1_000_000_000))


def another_label(file: Path) -> None:
    table = pq.read_table(file)
    labels = [1 - table["label"][0].as_py(), *table["label"][1:].to_pylist()]
    pq.write_table(table.set_column(2, "label", pa.array(labels, pa.int64())), file)


def test_data_with_other_content_and_an_older_time(study):
    file = study / "text/rte/train.parquet"
    another_label(file)
    age(file)
    jobs = planned(study)
    assert jobs["task_data"] == 1
    assert jobs["teacher"] == 1
    assert jobs["distill"] == 8


def test_the_same_data_with_a_newer_time(study):
    """The rule runs again, since Snakemake goes by time; the content is what it was."""
    (study / "text/rte/train.parquet").touch()
    assert set(planned(study, "--rerun-triggers", "params", "code")) == set()


@pytest.mark.parametrize("file", ["model.safetensors", "config.json", "tokenizer.json"])
def test_a_base_model_with_other_content_and_an_older_time(study, file):
    path = study / "model" / file
    content = path.read_bytes()
    path.write_bytes(content[:-1] + b" " if file.endswith("json") else content[:-1] + b"\x01")
    age(path)
    assert planned(study)["base_model"] == 1


@pytest.mark.parametrize("place", ["results/other", "absolute"])
def test_more_tables_of_a_study_that_was_planned_before(tmp_path, place):
    """Where Snakemake lists a folder once, what is planned for later must not be missing."""
    (tmp_path / "project").mkdir()
    folder = make_project(tmp_path / "project")
    results = str(tmp_path / "results") if place == "absolute" else place
    settled = ("--config", f"results={results}", "--until", "base_model", "--")
    for names in (("table1",), ("table1", "significance", "claims")):
        targets = [f"{results}/{name}.csv" for name in names]
        done = forked.run("snakemake", [*OPTIONS, *settled, *targets], folder)
        assert done.status == 0, done.text
