"""Studies drawn at random in which a claim is neither true nor false: its effect is at its bound.

Answers: every example has a difficulty, every model finds some examples harder and others easier,
every seed of it answers better or worse on the whole, and the rest is noise:

    z = mean + difficulty + model + noise + quality,  right where z > 0

with normal parts, so that the expected accuracy has a closed form. `ratio` is the variance over
seeds of the difference in accuracy of two models, over its variance over examples for one seed.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

from internal_kd.evaluation.predictions import SplitPredictions
from internal_kd.reporting.runs import RunFolder
from internal_kd.specs.records import FORMAT, LayerFinished, Metrics, ParameterCounts
from internal_kd.specs.runs import Run
from internal_kd.study.glue import GLUE

EXAMPLES = 300
ACCURACY = 0.75
DIFFICULTY, MODEL, NOISE = 1.5, 1.0, 1.0  # standard deviations of the parts of z
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(60)
WEIGHTS = WEIGHTS / WEIGHTS.sum()
LAYERS = 4
NO_HISTORY = pd.DataFrame()

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class MemoryRun(RunFolder):
    """A run whose files are in memory.

    Attributes:
        frames: its predictions by split.
        scores: its history.
    """

    frames: Mapping[str, SplitPredictions]
    scores: pd.DataFrame

    def predictions(self) -> dict[str, SplitPredictions]:
        """Predictions of each split by name."""
        return dict(self.frames)

    def history(self) -> pd.DataFrame:
        """One row per epoch."""
        return self.scores


@dataclass(frozen=True)
class Model:
    """What a model of a study is.

    Attributes:
        experiment: its name.
        accuracy: expected.
        layers: of the network.
        percent: share of the training data.
        confidence: highest probability of every answer.
    """

    experiment: str
    accuracy: float = ACCURACY
    layers: int = LAYERS
    percent: int = 100
    confidence: float = ACCURACY


class Population:
    """Answers of models to the examples of one task.

    Args:
        seeds: of each model.
        ratio: of the variance over seeds to that over examples.
        rng: of all draws.
    """

    def __init__(self, seeds: int, ratio: float, rng: np.random.Generator) -> None:
        self.seeds = seeds
        self.spread = spread_of(ratio)
        self.rng = rng
        self.difficulty = rng.normal(0, DIFFICULTY, EXAMPLES)
        self.indices = np.arange(EXAMPLES)
        self.labels = (rng.random(EXAMPLES) < 0.5).astype(np.int64)

    def right(self, accuracy: float) -> Flags:
        """Which examples the seeds of a new model answer right, [seeds, n]."""
        scale = np.sqrt(DIFFICULTY**2 + MODEL**2 + NOISE**2 + self.spread**2)
        shape = (self.seeds, EXAMPLES)
        z = scale * ndtri(accuracy) + self.difficulty + self.rng.normal(0, MODEL, EXAMPLES)
        quality = self.rng.normal(0, self.spread, (self.seeds, 1))
        return np.asarray(z + self.rng.normal(0, NOISE, shape) + quality > 0)

    def runs(self, task: str, models: Iterable[Model]) -> list[MemoryRun]:
        """Runs of each model with all seeds, on a development set."""
        return [
            self._run(task, model, seed, right, logits)
            for model in models
            for seed, (right, logits) in enumerate(self._answers(model))
        ]

    def _answers(self, model: Model) -> list[tuple[float, npt.NDArray[np.float32]]]:
        """Accuracy and logits, [n, 2], of each seed."""
        right = self.right(model.accuracy)
        first = right == (self.labels == 0)
        gap = np.log(model.confidence / (1 - model.confidence))
        logits = np.stack([gap * first, gap * ~first], axis=-1).astype(np.float32)
        return list(zip(right.mean(axis=1).tolist(), logits, strict=True))

    def _run(
        self, task: str, model: Model, seed: int, accuracy: float, logits: npt.NDArray[np.float32]
    ) -> MemoryRun:
        run = Run(task, model.experiment, model.layers, model.percent, seed)
        metrics = replace(metrics_of(run), validation={"accuracy": accuracy})
        frame = SplitPredictions(self.indices, self.labels, logits)
        return MemoryRun(
            Path("memory"), metrics, GLUE[metrics.run.task], {"validation": frame}, NO_HISTORY
        )


def metrics_of(run: Run) -> Metrics:
    """Metrics of a run without scores, whose layers have a hundred parameters each."""
    layers = 100 * run.layers
    return Metrics(
        format=FORMAT,
        run=run,
        validation=None,
        test=None,
        last_epoch=None,
        majority={},
        parameters=ParameterCounts(layers, embeddings=0, layers=layers, pooler=0, classifier=0),
        train_examples=0,
        schedule=(),
        flags=(),
    )


def seed_variance(spread: float) -> float:
    """Variance over seeds of the difference in accuracy of two models, on all examples there are.

    Args:
        spread: standard deviation of the quality of seeds.
    """
    scale = np.sqrt(DIFFICULTY**2 + MODEL**2 + NOISE**2)
    mean = np.sqrt(scale**2 + spread**2) * ndtri(ACCURACY)
    right = ndtr((mean + spread * NODES) / scale)
    return float(2 * np.sum(WEIGHTS * (right - ACCURACY) ** 2))


def example_variance() -> float:
    """Variance over examples of the difference in accuracy of two models with one seed each."""
    scale = np.sqrt(DIFFICULTY**2 + MODEL**2 + NOISE**2)
    right = ndtr((scale * ndtri(ACCURACY) + DIFFICULTY * NODES) / np.hypot(MODEL, NOISE))
    return float(2 * np.sum(WEIGHTS * right * (1 - right))) / EXAMPLES


@cache
def spread_of(ratio: float) -> float:
    """Standard deviation of the quality of seeds that gives a ratio of variances."""
    if ratio == 0:
        return 0.0
    return float(brentq(lambda s: seed_variance(s) - ratio * example_variance(), 1e-6, 50))


def divergences(
    seeds: int, ratio: float, quotient: float, rng: np.random.Generator
) -> pd.DataFrame:
    """Distances from the teacher of two students whose expected logarithms differ by one number.

    Args:
        seeds: of each student.
        ratio: of the variance over seeds of a student's logarithm to that over examples.
        quotient: of the divergences of standard and internal KD.
        rng: of all draws.
    """
    n, spread = EXAMPLES // 3, 0.5
    error = np.sqrt(np.expm1(spread**2) / n)  # relative, of a mean of log-normal values
    shifts = rng.normal(0, np.sqrt(ratio) * error, (2, seeds, 1))
    logs = rng.normal(0, spread, n) + rng.normal(0, spread, (2, 1, n)) + shifts
    values = np.exp(logs) * np.array([quotient, 1.0])[:, None, None]
    student, seed, index = (axis.ravel() for axis in np.indices(values.shape))
    same = {"task": "rte", "layers": LAYERS, "percent": 100, "layer": 1}
    columns = {"experiment": np.array(["exp2.0", "exp3.2"])[student], "seed": seed, "index": index}
    return pd.DataFrame(same | columns | {"attention_kl": values.ravel()})


def converging(
    seeds: int, noise: float, levels: Sequence[float], rng: np.random.Generator
) -> list[MemoryRun]:
    """Runs of PID whose scores vary around a level for each phase.

    Half of an epoch's deviation is that of the epoch before it, and each run has a level of its
    own, which deviates as much as its epochs.

    Args:
        seeds: runs.
        noise: standard deviation of scores.
        levels: expected scores while the lower and the upper layers learn, and after that.
        rng: of all draws.
    """
    ends, epochs = (8, 16, 24, 32), 40
    phases = np.repeat(levels, [16, 16, 8])
    schedule = [LayerFinished(layer + 1, end, "limit", None) for layer, end in enumerate(ends)]
    return [_converging_run(seed, phases, noise, epochs, schedule, rng) for seed in range(seeds)]


def _converging_run(
    seed: int,
    phases: npt.NDArray[np.float64],
    noise: float,
    epochs: int,
    schedule: list[LayerFinished],
    rng: np.random.Generator,
) -> MemoryRun:
    deviations = rng.normal(0, noise, epochs)
    for epoch in range(1, epochs):
        deviations[epoch] = 0.5 * deviations[epoch - 1] + np.sqrt(0.75) * deviations[epoch]
    scores = phases + deviations + rng.normal(0, noise)
    history = pd.DataFrame({"epoch": np.arange(1, epochs + 1), "validation_mcc": scores})
    run = metrics_of(Run("cola", "exp3.3", LAYERS, 100, seed))
    metrics = replace(run, schedule=tuple(schedule), majority={"validation": {"mcc": 0.0}})
    return MemoryRun(Path("memory"), metrics, GLUE[metrics.run.task], {}, history)
