"""Tables of grids as text: a row per group of experiments, score and difference on each task."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from internal_kd.reporting import formats
from internal_kd.reporting.formats import MISSING, Cell, Column, Row, Table, write_csv
from internal_kd.reporting.grids import BETTER, FACTORS, MEAN, WORSE, GridRow
from internal_kd.reporting.records import from_frame
from internal_kd.reporting.wording import METRIC_TITLES, points, power_text, seeds_sentences
from internal_kd.specs.grid_reports import GridSettings

HEADS = {
    "setting": "Setting",
    "objective": "Objective",
    "start": "Start",
    "mapping": "Map of layers",
}


def labels_of(settings: GridSettings) -> dict[str, dict[str, str]]:
    """What tables call the levels of each factor.

    Experiments of a grid without the factor setting are task-specific.
    """
    known = (settings.settings, settings.objectives, settings.starts, settings.mappings)
    found = {
        factor: {level.name: level.label for level in levels}
        for factor, levels in zip(FACTORS, known, strict=True)
    }
    return found | {"setting": {"": "task-specific"} | found["setting"]}


def write_tables(frame: pd.DataFrame, tables: Mapping[str, Table], out: str | Path) -> None:
    """Write a tidy table as `out` (.csv), and what is shown of it beside it as .md and .tex.

    Args:
        frame: the tidy table.
        tables: to be shown, by label for LaTeX.
        out: path of the .csv.
    """
    out = Path(out)
    write_csv(frame, out)
    texts = "\n".join(map(formats.markdown, tables.values()))
    out.with_suffix(".md").write_text(texts, encoding="utf-8")
    floats = [formats.booktabs(table, label=label) for label, table in tables.items()]
    out.with_suffix(".tex").write_text("\n".join(floats), encoding="utf-8")


def grid_table(
    frame: pd.DataFrame, settings: GridSettings, factors: Sequence[str], title: str, caption: str
) -> Table:
    """A row per group of experiments and, where there are several factors, a section per level of
    the first ones.

    Args:
        frame: of `GridRow`.
        settings: of the table.
        factors: that the table shows; those of one level have no column, but for the last.
        title: before the caption.
        caption: above the table.
    """
    labels = labels_of(settings)
    shown = [name for name in factors[:-1] if frame[name].nunique() > 1] + [factors[-1]]
    tasks = [task for task in (*settings.tasks, MEAN) if task in set(frame["task"])]
    sections: dict[tuple[str, ...], list[Row]] = {}
    for levels, by_task in _by_group(frame).items():
        found = dict(zip(FACTORS, levels, strict=True))
        names = tuple(labels[factor].get(found[factor], MISSING) for factor in shown)
        cells = [cell for task in tasks for cell in _cells(by_task.get(task), task)]
        sections.setdefault(names[:-1], []).append([*map(Cell, names), *cells])
    return Table(
        title=title,
        caption=caption,
        columns=[*(Column(HEADS[name], align="l") for name in shown), *_columns(tasks, settings)],
        sections=list(sections.values()),
        notes=_notes(frame, settings),
    )


def _by_group(frame: pd.DataFrame) -> dict[tuple[str, ...], dict[str, GridRow]]:
    """The rows by levels and task."""
    groups: dict[tuple[str, ...], dict[str, GridRow]] = {}
    for row in from_frame(frame, GridRow):
        levels = tuple(str(getattr(row, factor)) for factor in FACTORS)
        groups.setdefault(levels, {})[row.task] = row
    return groups


def _columns(tasks: Sequence[str], settings: GridSettings) -> list[Column]:
    columns = []
    for task in tasks:
        if task == MEAN:
            columns.append(Column("difference", "Mean over tasks"))
        else:
            spec = settings.task_specs[task]
            group = f"{spec.title} {METRIC_TITLES[spec.selection_metric]}"
            columns += [Column("score", group), Column("difference", group)]
    return columns


def _cells(row: GridRow | None, task: str) -> list[Cell]:
    return [_difference(row)] if task == MEAN else [Cell(_score(row)), _difference(row)]


def _score(row: GridRow | None) -> str:
    if row is None:
        return MISSING
    spread = "" if math.isnan(row.sd) else f" ± {100 * row.sd:.1f}"
    return f"{100 * row.score:.1f}{spread}"


def _difference(row: GridRow | None) -> Cell:
    if row is None or math.isnan(row.effect):
        return Cell(MISSING)
    known = not math.isnan(row.low)
    interval = f" [{points(row.low)}, {points(row.high)}]" if known else ""
    return Cell(f"{points(row.effect)}{interval}", bold=row.verdict in (BETTER, WORSE))


def _notes(frame: pd.DataFrame, settings: GridSettings) -> list[str]:
    share, level = f"{100 * settings.confidence:g} %", 1 - settings.confidence
    seeds = sorted(set(frame.loc[frame["seeds"] > 0, "seeds"]))
    notes = [
        f"Study: {settings.study}. Development sets, percent. Means over "
        f"{' or '.join(map(str, seeds)) or 'no'} student seeds ± their standard deviation; "
        f"differences with the {share} interval of the test over examples and student seeds. "
        f"Bold: p below {level:.3g} after Holm's adjustment over all rows and tasks of the table. "
        "Means over tasks are adjusted by themselves."
    ]
    notes += seeds_sentences(seeds)
    known = frame[frame["detectable"].notna() & (frame["task"] != MEAN)]
    if len(known):
        medians = known.groupby("task", sort=False)["detectable"].median()
        listed = ", ".join(
            f"{settings.task_specs[str(task)].title} {100 * value:.1f}"
            for task, value in medians.items()
        )
        notes.append(
            f"Differences of so many points (median of the rows) give {power_text(level)} before "
            f"the adjustment: {listed}."
        )
    return notes + ([settings.note] if settings.note else [])
