"""What the trainings of the tiny study would write, made by hand in a second.

Snakemake runs no job whose outputs are there and have no record of how they were made: with these
files only tables, figures and what shows them remain to be made.
"""

from collections.abc import Mapping
from contextlib import chdir
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from internal_kd.evaluation.attention_distances import LayerDistances, write_distances
from internal_kd.evaluation.attention_maps import save_maps
from internal_kd.fingerprint import code_fingerprint
from internal_kd.manifests import NAME, write_manifest
from internal_kd.specs.runs import Run
from internal_kd.study import analysis
from internal_kd.study.config import Study
from internal_kd.study.expectations import Expectations, Expected
from tests.reporting.fake_runs import frame_of, noisy_logits, write_fake_run
from tests.reporting.figures.attention_patterns import SHORT, patterned_maps
from tests.study.configs import read_study
from tests.workflow.tiny import STUDY

EXAMPLES = 40  # of each split
EPOCHS = 3
ACCURACY = {"exp1.0": 0.95, "exp1.1": 0.7, "exp2.0": 0.75, "exp2.0t": 0.78, "exp3.4": 0.85}


def write_fake_results(project: Path, config: Mapping[str, Any] = STUDY) -> None:
    """Write runs, examples, distances and attention maps of the tiny study, or one like it."""
    with chdir(project):
        study = read_study(**config)
    results = project / study.results
    for number, run in enumerate(analysis.claims_runs(study)):
        _write_run(results, run, seed=number)
    for task in study.tasks:
        _write_examples(results / "data" / task / "examples.parquet")
    _write_attention(results / "attention", study)
    with chdir(project):
        _write_manifests(study)


def _write_run(results: Path, run: Run, seed: int) -> None:
    labels = np.arange(EXAMPLES) % 2
    accuracy = ACCURACY.get(run.experiment, 0.8)
    scores = np.linspace(0.5, accuracy, EPOCHS)
    written = write_fake_run(
        results,
        run.task,
        run.experiment,
        seed=run.seed,
        layers=run.layers,
        percent=run.percent,
        validation=frame_of(labels, noisy_logits(labels, accuracy, seed)),
        history=pd.DataFrame(
            {
                "epoch": range(1, EPOCHS + 1),
                "stage": ["1", "1-2", "output"],
                "validation_accuracy": scores,
            }
        ),
        schedule=[{"layer": n, "epoch": n, "reason": "limit", "cosine": 0.1} for n in (1, 2)],
        selected_epoch=EPOCHS,
    )
    (written.folder / "model").mkdir()


def _write_examples(path: Path) -> None:
    """Pairs of words, all three splits."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = np.arange(EXAMPLES)
    columns = {"index": rows, "idx": rows, "label": rows % 2}
    texts = {"sentence1": [f"w{row}" for row in rows], "sentence2": "w0"}
    parts = [pd.DataFrame({"split": split} | columns | texts) for split in ("train", "validation")]
    pd.concat(parts).to_parquet(path, index=False)


def _write_attention(folder: Path, study: Study) -> None:
    """Distances of the students compared, and maps of the example that figures show."""
    folder.mkdir(exist_ok=True)
    for run in analysis.attention_runs(study):
        name = f"{run.task}-{run.experiment}-layers{run.layers}-train{run.percent}-seed{run.seed}"
        values = np.full((EXAMPLES, run.layers), 0.1, dtype=np.float32)
        teacher_layers = tuple(2 * layer for layer in range(1, run.layers + 1))
        found = LayerDistances(np.arange(EXAMPLES), teacher_layers, values, values)
        write_distances(folder / f"{name}.parquet", run, found)
    for task in study.tasks:
        save_maps(folder / f"{task}-example0.npz", patterned_maps(SHORT, layers=2))


def _write_manifests(study: Study) -> None:
    """The records that the jobs of all existing files would write."""
    without = "" if study.config.data.source == "embedded" else "embedded"
    expectations = Expectations(
        study,
        lambda job: code_fingerprint(
            f"internal_kd.jobs.{job}", without=without if job == "data" else ""
        ),
        lambda name: code_fingerprint("internal_kd.jobs.distill", *study.experiments[name].modules),
        lambda name: code_fingerprint("internal_kd.jobs.agnostic", *study.agnostic[name].modules),
    )
    parts = [expectations.runs(analysis.claims_runs(study)), expectations.examples(study.tasks)]
    parts.append(expectations.distances(analysis.attention_runs(study)))
    parts += [expectations.maps(analysis.shown_runs(study, task), task, 0) for task in study.tasks]
    for path, job in Expected.all_of(parts).jobs.items():
        written = _written(Path(path))
        if written:
            write_manifest(Path(path), written, {}, settings=job.settings, code=job.code)


def _written(manifest: Path) -> list[Path]:
    """What a manifest describes: a whole folder, or one file of the same name."""
    if manifest.name == NAME:
        return [manifest.parent] if manifest.parent.is_dir() else []
    stem = str(manifest).removesuffix(f".{NAME}")
    return [file for end in (".parquet", ".npz") if (file := Path(f"{stem}{end}")).is_file()]
