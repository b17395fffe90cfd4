"""How often tests call equal methods different: `python -m benchmarks.false_rates`.

Two methods of the same distribution answer the same examples with S seeds each. An example has a
difficulty; each method finds examples harder or easier in its own way, each seed of it moves the
quality of all answers and the preference for class 1, and the rest is noise:

    z = difficulty + method + noise + quality + (2 y - 1) preference,  right where z > 0

with normal parts, so that the rate of right answers has a closed form. `ratio` is the variance over
seeds of the difference in accuracy over the variance over examples of one pair's difference.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.optimize import brentq
from scipy.special import ndtr

from internal_kd.evaluation.comparison import score_differences
from internal_kd.evaluation.inference import SEEDS_FOR_VERDICTS
from internal_kd.evaluation.significance import Answers, paired_t_test, permutation_test
from internal_kd.specs.tasks import METRICS_OF, SINGLE_LABEL

EXAMPLES = 300
SEEDS = (2, 3, 4, 5, 10)
RATIOS = (0, 1, 3, 10, 30)
RESAMPLES = 200
MORE = 5  # times as many replicates at the fewest seeds for verdicts, where rates are highest
ALPHA = 0.05
TESTS = ("two-way", "t over examples", "permutation over examples", "t over seeds")
SHARE = 0.65  # of class 1, as in MRPC and CoLA
MEAN, DIFFICULTY, METHOD, NOISE = 1.0, 1.5, 1.0, 1.0  # mean and standard deviations of z's parts
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(40)
WEIGHTS = WEIGHTS / WEIGHTS.sum()

Key = tuple[str, str]  # test and metric


@dataclass(frozen=True)
class Setting:
    """What is simulated: S seeds per method, and how far seeds spread beside examples."""

    seeds: int
    ratio: float


def seed_variance(spread: float) -> float:
    """Variance over seeds of the difference in accuracy between two methods, on all examples.

    Args:
        spread: standard deviation over seeds of quality and of preference.
    """
    scale = np.sqrt(DIFFICULTY**2 + METHOD**2 + NOISE**2)
    quality, preference = spread * NODES[:, None], spread * NODES[None, :]
    right = SHARE * ndtr((MEAN + quality + preference) / scale)
    right = right + (1 - SHARE) * ndtr((MEAN + quality - preference) / scale)
    weights = np.outer(WEIGHTS, WEIGHTS)
    mean = np.sum(weights * right)
    return float(2 * np.sum(weights * (right - mean) ** 2))


def example_variance() -> float:
    """Variance over examples of the difference in accuracy between one seed of each method."""
    right = ndtr((MEAN + DIFFICULTY * NODES) / np.hypot(METHOD, NOISE))
    return float(2 * np.sum(WEIGHTS * right * (1 - right))) / EXAMPLES


@cache
def spread_of(ratio: float) -> float:
    """Standard deviation of the seeds that gives this ratio."""
    if ratio == 0:
        return 0.0
    return float(brentq(lambda s: seed_variance(s) - ratio * example_variance(), 1e-6, 20))


def simulate(setting: Setting, rng: np.random.Generator) -> Answers:
    """Answers of two methods of the same distribution."""
    labels = (rng.random(EXAMPLES) < SHARE).astype(np.int64)
    difficulty = rng.normal(MEAN, DIFFICULTY, EXAMPLES)
    shape, spread = (setting.seeds, EXAMPLES), spread_of(setting.ratio)

    def method() -> npt.NDArray[np.int64]:
        quality, preference = rng.normal(0, spread, (2, setting.seeds, 1))
        z = difficulty + rng.normal(0, METHOD, EXAMPLES) + rng.normal(0, NOISE, shape)
        right = z + quality + (2 * labels - 1) * preference > 0
        return np.where(right, labels, 1 - labels)

    return Answers(labels, method(), method())


def p_values(answers: Answers, rng: np.random.Generator) -> dict[Key, float]:
    """p of the project's test and of those that papers use, by test and metric."""
    effects = score_differences(answers.labels, answers.first, answers.second, RESAMPLES, rng)
    permuted = permutation_test(answers, RESAMPLES, rng)
    first, second = answers.scores()
    two_way, over_examples, permutation, over_seeds = TESTS
    found = {(over_examples, "accuracy"): paired_t_test(*answers.correctness(), 0.95).p}
    for metric in METRICS_OF[SINGLE_LABEL]:
        found[two_way, metric] = effects[metric].p()
        found[permutation, metric] = permuted[metric].p
        found[over_seeds, metric] = paired_t_test(first[metric], second[metric], 0.95).p
    return found


def rates(setting: Setting, replicates: int) -> dict[Key, float]:
    """Share of replicates in which p is below 0.05; an undefined p is not."""
    found: dict[Key, int] = {}
    for number in range(replicates):
        rng = np.random.default_rng([setting.seeds, int(setting.ratio), number])
        for key, p in p_values(simulate(setting, rng), rng).items():
            found[key] = found.get(key, 0) + bool(p < ALPHA)
    return {key: count / replicates for key, count in found.items()}


def rows(replicates: int) -> Iterator[tuple[int, float, str, str, float, int]]:
    """A row per number of seeds, ratio, test and metric."""
    for seeds in SEEDS:
        count = replicates * (MORE if seeds == SEEDS_FOR_VERDICTS else 1)
        for ratio in RATIOS:
            for (test, metric), rate in sorted(rates(Setting(seeds, ratio), count).items()):
                yield seeds, ratio, test, metric, rate, count


def table(frame: pd.DataFrame) -> str:
    """The highest rate over metrics by seeds, test and ratio, as Markdown."""
    ratios = sorted(frame["ratio"].unique())
    highest = frame.groupby(["seeds", "test", "ratio"])["rate"].max()
    lines = [
        f"| seeds | test | {' | '.join(f'ratio {ratio:g}' for ratio in ratios)} |",
        f"| ---: | --- |{' ---: |' * len(ratios)}",
    ]
    for seeds in sorted(frame["seeds"].unique()):
        for test in TESTS:
            cells = [f"{highest[seeds, test, ratio]:.3f}" for ratio in ratios]
            lines.append(f"| {seeds} | {test} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Simulate, write all rates, and print the highest over metrics."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.false_rates", description=__doc__)
    parser.add_argument("--replicates", type=int, default=2000)
    parser.add_argument("--out", type=Path, default=Path("docs/data/false_rates.csv"))
    args = parser.parse_args()
    columns = ["seeds", "ratio", "test", "metric", "rate", "replicates"]
    frame = pd.DataFrame(rows(args.replicates), columns=columns)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    frame.to_csv(args.out, index=False, lineterminator="\n")
    print(table(frame), end="")


if __name__ == "__main__":
    main()
