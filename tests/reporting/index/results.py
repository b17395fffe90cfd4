"""A folder of results as the rules write it, with small tables and pictures, and its settings."""

from pathlib import Path

import numpy as np
from matplotlib import image

from internal_kd.reporting.formats import Cell, Column, Table, booktabs, markdown
from internal_kd.specs.reports import IndexItem, IndexSection, IndexSettings, ItemKind, LeftOut
from internal_kd.study.glue import GLUE

NOTE = "Generated text & a small model: not the paper's numbers."
SIZE = (48, 64)  # height and width of pictures in pixels


def item(kind: ItemKind, name: str, title: str, file: str, *more: str) -> IndexItem:
    """An item of the settings; the caption is called as the item is."""
    return IndexItem(kind, name, title, file, caption=name, more=more)


def write_results(folder: Path) -> IndexSettings:
    """Write a table, a figure and a file; return the settings of an index that shows them."""
    table = Table(
        title="Table 1",
        caption="Scores.",
        columns=[Column("Experiment", align="l"), Column("Acc.", group="RTE")],
        sections=[[[Cell("Exp1.0"), Cell("66.4")], [Cell("Exp3.2"), Cell("65.0", bold=True)]]],
        notes=["Study: small."],
    )
    (folder / "figures").mkdir(parents=True)
    for name in ("table1", "glue_submission"):
        (folder / f"{name}.md").write_text(markdown(table))
    (folder / "table1.csv").write_text("experiment,mean\nexp1.0,0.664\n")
    (folder / "table1.tex").write_text(booktabs(table, label="tab:table1"))
    for name in ("glue_submission", "glue_submission_exp1.0"):
        (folder / f"{name}.zip").write_bytes(b"PK")
    write_figure(folder / "figures" / "fig2.csv")
    zips = ("glue_submission.zip", "glue_submission_exp1.0.zip")
    return IndexSettings(
        task_specs=GLUE,
        study="small",
        note=NOTE,
        sections=(
            IndexSection("Tables", (item("table", "table1", "Table 1", "table1.csv"),)),
            IndexSection("Figures", (item("figure", "fig2", "Figure 2: QQP", "figures/fig2.csv"),)),
            IndexSection("Files", (item("file", "glue_submission", "Submissions", *zips),)),
        ),
        missing=(LeftOut("fig9", "its task qnli is not one of the study's tasks"),),
    )


def write_figure(out: Path) -> None:
    """A grey picture as .png, with files that only have the right names beside it."""
    out.write_text("parameters,mean\n1,0.5\n")
    out.with_suffix(".pdf").write_bytes(b"%PDF-1.4")
    image.imsave(out.with_suffix(".png"), np.full((*SIZE, 3), 0.5))


def write_captions(folder: Path, settings: IndexSettings) -> list[Path]:
    """A caption for each item."""
    folder.mkdir(exist_ok=True)
    items = [item for section in settings.sections for item in section.items]
    paths = [folder / f"{item.caption}.rst" for item in items]
    for path in paths:
        path.write_text(f"What {path.stem} shows.\n\nWhere the paper has it.\n")
    return paths
