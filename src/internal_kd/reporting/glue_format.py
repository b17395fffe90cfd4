"""The files that the GLUE server takes: their names, sizes, labels and form.

A submission is a zip with these eleven files at its top, each with a header and one line for
each example of the official test split: its place there, counted from 0, and the prediction.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

BINARY = ("0", "1")
ENTAILMENT = ("entailment", "not_entailment")
INFERENCE = ("entailment", "neutral", "contradiction")
HEADER = "index\tprediction"
GRADES = 6  # of STS-B: 0 to 5
EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest date of a zip: equal contents are equal bytes


@dataclass(frozen=True)
class GlueFile:
    """One file of a submission.

    Attributes:
        name: such as CoLA.tsv.
        rows: number of examples in GLUE's test split.
        labels: what stands for class 0, 1, ...; empty for STS-B, whose predictions are numbers
            from 0 to 5.
        task: name of the task in this project, empty where it has none.
    """

    name: str
    rows: int
    labels: tuple[str, ...]
    task: str = ""


FILES = (
    GlueFile("CoLA.tsv", 1063, BINARY, "cola"),
    GlueFile("SST-2.tsv", 1821, BINARY),
    GlueFile("MRPC.tsv", 1725, BINARY, "mrpc"),
    GlueFile("STS-B.tsv", 1379, ()),
    GlueFile("QQP.tsv", 390965, BINARY, "qqp"),
    GlueFile("MNLI-m.tsv", 9796, INFERENCE),
    GlueFile("MNLI-mm.tsv", 9847, INFERENCE),
    GlueFile("QNLI.tsv", 5463, ENTAILMENT, "qnli"),
    GlueFile("RTE.tsv", 3000, ENTAILMENT, "rte"),
    GlueFile("WNLI.tsv", 146, BINARY),
    GlueFile("AX.tsv", 1104, INFERENCE),
)


def placeholder(file: GlueFile) -> list[str]:
    """Predictions for a task without a model, as many as the server expects.

    Always the first label, whose score on the server means nothing. For STS-B the numbers 0.000 to
    5.000 in turn: the correlation that scores it is not defined for a constant.
    """
    if file.labels:
        return [file.labels[0]] * file.rows
    return [f"{row % GRADES:.3f}" for row in range(file.rows)]


def tsv(predictions: Sequence[str]) -> str:
    """The text of a file: the header, then index and prediction of each example."""
    lines = [f"{index}\t{prediction}" for index, prediction in enumerate(predictions)]
    return "\n".join([HEADER, *lines]) + "\n"


def write_zip(path: str | Path, texts: Mapping[str, str]) -> None:
    """Write files by name into a zip; the same texts give the same bytes."""
    with ZipFile(path, "w") as archive:
        for name, text in texts.items():
            info = ZipInfo(name, EPOCH)
            info.compress_type, info.create_system = ZIP_DEFLATED, 3  # 3: unix, on any system
            info.external_attr = 0o644 << 16
            archive.writestr(info, text)
