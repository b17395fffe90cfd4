"""Job `index`: a page that shows every table and figure of a study."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from internal_kd.jobs.cli import Call, Job
from internal_kd.jobs.files import Reads, Writes
from internal_kd.jobs.product import ProductFiles, write_recorded
from internal_kd.reporting.index.write import write_index
from internal_kd.specs.reports import IndexSettings


@dataclass(frozen=True, kw_only=True)
class Files(ProductFiles):
    """Files of the job."""

    captions: Annotated[tuple[Path, ...], Reads(".rst files of plain paragraphs")]
    out: Annotated[Path, Writes("page; tables alone go to pages/ beside it")]


def main(files: Files, settings: IndexSettings, call: Call[Files]) -> None:
    """Write the pages."""
    write_recorded(call, settings, lambda final: write_index(final, files.captions, files.out))


JOB = Job(Files, IndexSettings, main)
