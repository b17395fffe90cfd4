"""Random texts at every place of a config that holds one: refused, or used and harmless.

A handful of rounds by default; `pytest -m slow tests/workflow/test_any_text.py` makes many.
"""

from collections.abc import Iterator, Mapping
from contextlib import chdir
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from internal_kd.errors import UserError, printable
from internal_kd.study import config as study_config
from tests.faults import forked
from tests.jobs.tiny_study import write_base
from tests.study.configs import SCHEMA, merged, read_config
from tests.workflow.fake_results import write_fake_results
from tests.workflow.snakemake import copy_project
from tests.workflow.tiny import STUDY, write_texts

pytestmark = pytest.mark.slow

FEW, MANY = 1, 12
RAN = "RUN"  # a file that is there if any of the texts has been run
BAITS = [
    *(f"$(touch {RAN})", f"`touch {RAN}`", f"; touch {RAN} ;", f"& touch {RAN} #", f"|touch {RAN}"),
    *(f"'; touch {RAN}; '", f'"; touch {RAN}; "', f"\ntouch {RAN}\n", f"$$(touch {RAN})$$"),
    *("{input}", "{wildcards.task}", "{y}", "{{y}}", "{0}", "{", "%s", "${HOME}", "$x$", "\\frac"),
    *("-n", "--forceall", "~", "..", "../x", ".", "a//b", "=1+1", "+1", "@a", "\x1b[2J", "\0"),
    *("größe", "実験", "a b", "a'b", 'a"b', "a,b", "a, b", "a:b", "*", "[a]", "?", "#", "<b>"),
    *("\u202e", "\\", "\\n", "!", "%"),
]
# Half of the texts are what somebody may well write, so that not all of them end at the schema.
PLAIN = st.text(st.characters(categories=["L", "Nd"], include_characters="._-+=@"), min_size=1)
WORDS = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"]), min_size=1)
ANY = st.one_of(st.text(), st.sampled_from(BAITS), st.lists(st.sampled_from(BAITS)).map("".join))
NAME = st.one_of(PLAIN.map(lambda text: f"n{text}"[:40]), PLAIN, ANY)
TEXT = st.one_of(WORDS, ANY, st.tuples(WORDS, st.sampled_from(BAITS)).map("".join))


def one_of(name: str) -> st.SearchStrategy[str]:
    """A name that exists, or any text."""
    return st.one_of(st.just(name), st.just(name), NAME)


@dataclass(frozen=True)
class Place:
    """Where texts stand: how many are drawn, from what, and the changes that put one there.

    Those that are not kept are read by the checks alone: the study of this test has no use for
    them.
    """

    texts: st.SearchStrategy[str]
    times: int
    put: Any
    kept: bool = True


DEVICE = {"start_seconds": 1.0, "step_ms": 1.0, "fp32_flops": 1.0e9, "bf16_flops": 1.0e9}
LABELLED = ("exp1.0", "exp1.1", "exp2.0", "exp3.0", "exp3.4", "exp3.5")
STUDENT = {"label": "x", "output": {"hard": 1.0}}
BASE = {"source": "folder", "path": "model", "revision": None, "layers": 4}
GENERAL = {"internal": {"attention_kl": 1.0}}
HARD = {"output": {"hard": 1.0}}
SPLITS = {"train": "text/rte/train.parquet", "validation": "text/rte/validation.parquet"}
OWN = {"text": ["sentence1", "sentence2"], "label": "label", "files": SPLITS}
CURVES = {"kind": "convergence", "task": "rte", "experiments": ["exp3.4"]}
# Each text of the schema, by its path there; `*` is any key, `<>` the key itself, `[]` an entry.
PLACES = {
    "study": Place(NAME, 1, lambda text, _: {"study": text}),
    "results": Place(TEXT, 1, lambda text, _: {"results": f"results/{text}"}),
    "base_model.path": Place(TEXT, 1, lambda text, _: {"base_model": {"path": text}}),
    "base_model.revision": Place(TEXT, 1, lambda text, _: {"base_model": {"revision": text}}),
    "data.path": Place(TEXT, 1, lambda text, _: {"data": {"path": text}}),
    "data.limit.<>": Place(one_of("rte"), 1, lambda text, _: {"data": {"limit": {text: TEN}}}),
    "tasks[]": Place(one_of("rte"), 1, lambda text, _: {"tasks": [text]}),
    "experiments.<>": Place(NAME, 4, lambda text, _: {"experiments": {text: STUDENT}}),
    "experiments.*.label": Place(
        TEXT, 6, lambda text, number: {"experiments": {LABELLED[number]: {"label": text}}}
    ),
    "experiments.*.reading_of": Place(
        one_of("exp3.4"), 1, lambda text, _: {"experiments": {"exp3.5": {"reading_of": text}}}
    ),
    "experiments.*.internal.<>": Place(
        one_of("cls_cosine"),
        1,
        lambda text, _: {"experiments": {"exp3.0": {"internal": {text: 1.0}}}},
    ),
    "experiments.*.output.<>": Place(
        one_of("soft"), 1, lambda text, _: {"experiments": {"exp3.0": {"output": {text: 1.0}}}}
    ),
    "extensions[]": Place(TEXT, 1, lambda text, _: {"extensions": [text]}),
    "table1.experiments[]": Place(
        one_of("exp3.0"), 1, lambda text, _: {"table1": {"experiments": [*ROWS, text]}}
    ),
    "table1.tasks[]": Place(one_of("rte"), 1, lambda text, _: {"table1": {"tasks": [text]}}),
    "comparison.standard": Place(
        one_of("exp2.0"), 1, lambda text, _: {"comparison": {"standard": text}}
    ),
    "comparison.internal": Place(
        one_of("exp3.4"), 1, lambda text, _: {"comparison": {"internal": text}}
    ),
    "sweeps.layers.tasks[]": Place(
        one_of("rte"), 1, lambda text, _: {"sweeps": {"layers": {"tasks": [text]}}}
    ),
    "sweeps.data_size.tasks[]": Place(
        one_of("rte"), 1, lambda text, _: {"sweeps": {"data_size": {"tasks": [text]}}}
    ),
    "figures.<>": Place(NAME, 2, lambda text, _: {"figures": {text: CURVES}}),
    "figures.*.task": Place(
        one_of("rte"), 1, lambda text, _: {"figures": {"fig4": {"task": text}}}
    ),
    "figures.*.experiments[]": Place(
        one_of("exp3.4"), 1, lambda text, _: {"figures": {"fig4": {"experiments": [text]}}}
    ),
    "plan.device": Place(one_of("cpu_core"), 1, lambda text, _: {"plan": {"device": text}}),
    "plan.devices.<>": Place(TEXT, 2, lambda text, _: {"plan": {"devices": {text: DEVICE}}}),
    "teacher.per_task.<>": Place(
        one_of("rte"), 1, lambda text, _: {"teacher": {"per_task": {text: {"epochs": 2}}}}
    ),
    "student.per_task.<>": Place(
        one_of("rte"), 1, lambda text, _: {"student": {"per_task": {text: {"epochs": 4}}}}
    ),
    "resources.*.per_task.<>": Place(
        one_of("rte"), 1, lambda text, _: {"resources": {"teacher": {"per_task": {text: TIME}}}}
    ),
}


def read_only(texts: st.SearchStrategy[str], put: Any) -> Place:
    """A place that the checks alone read."""
    return Place(texts, 1, lambda text, _: put(text), kept=False)


def level(fields: Any) -> Any:
    """A grid with one level, which has these fields."""
    return {"grids": {"g": {"vary": {"start": {"a": fields}}, "common": HARD}}}


def common(fields: Any) -> Any:
    """A grid with these common fields."""
    return {"grids": {"g": {"vary": {"start": {"a": {"init": "lower"}}}, "common": fields}}}


def own_task(name: str = "own", **fields: Any) -> Any:
    """A task of the user."""
    return {"task_definitions": {name: {**OWN, **fields}}}


PLACES |= {
    "agnostic.<>": read_only(NAME, lambda text: {"agnostic": {text: GENERAL}}),
    "agnostic.*.internal.<>": read_only(
        one_of("hidden_mse"), lambda text: {"agnostic": {"general": {"internal": {text: 1.0}}}}
    ),
    "corpus.column": read_only(TEXT, lambda text: {"corpus": {"column": text}}),
    "corpus.path": read_only(TEXT, lambda text: {"corpus": {"path": text}}),
    "corpus.split": read_only(TEXT, lambda text: {"corpus": {"split": text}}),
    "corpus.subset": read_only(TEXT, lambda text: {"corpus": {"subset": text}}),
    "experiments.*.init_from": read_only(
        one_of("teacher"), lambda text: {"experiments": {"exp3.0": {"init_from": text}}}
    ),
    "grids.<>": read_only(
        NAME, lambda text: {"grids": {text: {"vary": {"start": {"a": {}}}, "common": HARD}}}
    ),
    "grids.*.common.init_from": read_only(
        one_of("teacher"), lambda text: common({**HARD, "init_from": text})
    ),
    "grids.*.common.internal.<>": read_only(
        one_of("hidden_mse"), lambda text: common({**HARD, "internal": {text: 1.0}})
    ),
    "grids.*.common.output.<>": read_only(
        one_of("soft"), lambda text: common({"output": {text: 1.0}})
    ),
    "grids.*.tasks[]": read_only(
        one_of("rte"),
        lambda text: {
            "grids": {"g": {"vary": {"start": {"a": {}}}, "common": HARD, "tasks": [text]}}
        },
    ),
    "grids.*.vary.<>": read_only(
        NAME, lambda text: {"grids": {"g": {"vary": {text: {"a": {}}}, "common": HARD}}}
    ),
    "grids.*.vary.*.<>": read_only(
        NAME, lambda text: {"grids": {"g": {"vary": {"start": {text: {}}}, "common": HARD}}}
    ),
    "grids.*.vary.*.*.label": read_only(TEXT, lambda text: level({"label": text})),
    "grids.*.vary.*.*.init_from": read_only(
        one_of("teacher"), lambda text: level({"init_from": text})
    ),
    "grids.*.vary.*.*.internal.<>": read_only(
        one_of("hidden_mse"), lambda text: level({"internal": {text: 1.0}})
    ),
    "grids.*.vary.*.*.output.<>": read_only(
        one_of("soft"), lambda text: level({"output": {text: 1.0}})
    ),
    "student.base_model.path": read_only(
        TEXT, lambda text: {"student": {"base_model": {**BASE, "path": text}}}
    ),
    "student.base_model.revision": read_only(
        TEXT,
        lambda text: {"student": {"base_model": {**BASE, "source": "hub", "revision": text}}},
    ),
    "task_definitions.<>": read_only(NAME, own_task),
    "task_definitions.*.title": read_only(TEXT, lambda text: own_task(title=text)),
    "task_definitions.*.label": read_only(TEXT, lambda text: own_task(label=text)),
    "task_definitions.*.labels[]": read_only(TEXT, lambda text: own_task(labels=["no", text])),
    "task_definitions.*.text[]": read_only(TEXT, lambda text: own_task(text=[text])),
    **{
        f"task_definitions.*.files.{split}": read_only(
            TEXT, lambda text, split=split: own_task(files={**SPLITS, split: text})
        )
        for split in ("train", "validation", "test")
    },
    "task_definitions.*.format.header[]": read_only(
        TEXT, lambda text: own_task(format={"header": [text, "label"]})
    ),
}
TEN, TIME = {"train": 32}, {"runtime": 30}
ROWS = ("exp1.0", "exp1.1", "exp2.0", "exp3.4")


def text_keys(part: Any, path: str = "") -> Iterator[str]:
    """Paths of all texts in the schema."""
    if part.get("format"):
        yield path
    for key, value in part.get("properties", {}).items():
        yield from text_keys(value, f"{path}.{key}".removeprefix("."))
    if isinstance(part.get("additionalProperties"), Mapping):
        yield from text_keys(part["additionalProperties"], f"{path}.*")
    if "propertyNames" in part:
        yield from text_keys(part["propertyNames"], f"{path}.<>")
    if "items" in part:
        yield from text_keys(part["items"], f"{path}[]")


def test_every_string_of_the_schema_is_covered():
    found = {key.replace("resources.teacher.", "resources.*.") for key in text_keys(SCHEMA)}
    found = {key for key in found if not key.startswith("resources.") or ".*." in key}
    assert found == set(PLACES)


@dataclass
class Tally:
    """What has become of the texts."""

    refused: int = 0
    used: int = 0
    by_place: dict[str, list[int]] = field(default_factory=dict)

    def add(self, place: str, used: bool) -> None:
        self.used += used
        self.refused += not used
        counts = self.by_place.setdefault(place, [0, 0])
        counts[used] += 1


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """A project with a model and texts, of which each round takes copies or links."""
    folder = tmp_path_factory.mktemp("made")
    copy_project(folder)
    write_base(folder / "model", layers=4)
    write_texts(folder / "text" / "rte")
    return folder


@pytest.fixture
def rounds(request, monkeypatch) -> int:
    monkeypatch.setattr(study_config, "config_schema", cache(study_config.config_schema))
    return MANY if request.config.getoption("markexpr") == "slow" else FEW


def new_folder(made: Path, folder: Path) -> Path:
    folder.mkdir()
    for file in made.iterdir():
        (folder / file.name).symlink_to(file)
    return folder


def offer(folder: Path, key: str, text: str) -> None:
    """Put a model or texts where a path leads to, if it leads below the folder."""
    kind = {"base_model.path": "model", "data.path": "text"}.get(key)
    try:
        path = folder / text
        if kind and path.is_relative_to(folder) and ".." not in path.parts:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.symlink_to(folder / kind)
    except (OSError, ValueError):
        return


def is_taken(config: Mapping[str, Any]) -> bool:
    """Whether the checks find nothing; what they find is one line for each problem."""
    try:
        study_config.load(config)
    except UserError as mistake:
        for line in str(mistake).splitlines():
            assert line.startswith("config: ")
            assert printable(line) == line
        return False
    return True


def drawn(data: st.DataObject, folder: Path, tally: Tally) -> dict[str, Any]:
    """The tiny study with all drawn texts that the checks let pass."""
    changes: dict[str, Any] = deepcopy(STUDY)
    for key, place in PLACES.items():
        for number in range(place.times):
            text = data.draw(place.texts, label=key)
            offer(folder, key, text)
            tried = merged(changes, place.put(text, number))
            used = is_taken(merged(read_default(), tried))
            changes = tried if used and place.kept else changes
            tally.add(key, used)
    rows = [*changes["table1"]["experiments"], *changes["experiments"]]
    changes["table1"]["experiments"] = list(dict.fromkeys(rows))
    return changes


read_default = cache(read_config)


def files_outside(folder: Path) -> set[Path]:
    """Everything in a folder but for results and what Snakemake keeps."""
    kept = {"results", ".snakemake", "odd.yaml"}
    return {path for path in folder.iterdir() if path.name not in kept}


def use(folder: Path, changes: Mapping[str, Any]) -> None:
    """A dry run of everything, then the jobs that show or open the texts."""
    text = yaml.safe_dump(dict(changes), allow_unicode=True)
    (folder / "odd.yaml").write_text(text, encoding="utf-8")
    with chdir(folder):
        write_fake_results(folder, changes)
    results = changes["results"]
    figures = [name for name, value in changes["figures"].items() if value is not None]
    targets = [f"{results}/figures/{name}.csv" for name in figures if name not in STUDY["figures"]]
    targets += [f"{results}/table1.csv", f"{results}/base", f"{results}/data/rte/tokens.npz"]
    before = files_outside(folder)
    for options in (["-n", "--", "all"], ["--cores", "1", "--", *targets]):
        done = forked.run("snakemake", ["--configfile", "odd.yaml", *options], folder)
        assert done.status == 0, done.text
        assert "Traceback" not in done.text
    assert all((folder / target).exists() for target in targets)
    assert files_outside(folder) == before


def test_any_text_is_rejected_or_harmless(made, tmp_path, rounds):
    tally, numbers = Tally(), iter(range(10**6))

    @settings(
        max_examples=rounds,
        deadline=None,
        database=None,
        derandomize=rounds == FEW,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def round_(data: st.DataObject) -> None:
        folder = new_folder(made, tmp_path / f"round{next(numbers)}")
        with chdir(folder):
            changes = drawn(data, folder, tally)
        use(folder, changes)
        assert not [path for path in tmp_path.rglob("*") if path.name.strip() == RAN]
        assert not (made / RAN).exists()

    round_()
    print(f"\n{tally.used} texts used, {tally.refused} refused: {tally.by_place}")
    assert tally.used >= (tally.used + tally.refused) / 3
