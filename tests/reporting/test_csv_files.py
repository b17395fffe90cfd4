import csv
from pathlib import Path

import pandas as pd
import pytest

from internal_kd.reporting.formats import write_csv


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        '=HYPERLINK("http://x")',
        "+cmd|' /C calc'!A0",
        "-2+3",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "=",
        "＝1",
    ],
)
def test_no_text_is_a_formula(tmp_path, text):
    write_csv(pd.DataFrame({"label": ["x", text]}), tmp_path / "t.csv")
    assert labels(tmp_path / "t.csv") == ["x", f"'{text}".replace("\r", "\n")]


@pytest.mark.parametrize("text", ["x\r=1", "x\n=1", "x\r\n=1", 'x"\r=1', "x,=1", 'x",=1', "x;=1"])
def test_no_text_ends_its_cell(tmp_path, text):
    write_csv(pd.DataFrame({"label": [text, "y"]}), tmp_path / "t.csv")
    assert labels(tmp_path / "t.csv") == [text.replace("\r\n", "\n").replace("\r", "\n"), "y"]


def labels(file: Path) -> list[str]:
    with open(file, newline="", encoding="utf-8") as rows:
        return [row["label"] for row in csv.DictReader(rows)]


def test_numbers_and_other_texts_stay_as_they_are(tmp_path):
    """Byte for byte, whatever kind of column they stand in."""
    frame = pd.DataFrame(
        {
            "number": [-1.5, float("nan")],
            "whole": [-1, 2],
            "text of a number": ["-0.5", "+1e-3"],
            "text": ["a=b", None],
            "mixed": [-1, "x"],
            "missing": [None, 1],
            "flag": [True, False],
            "maybe": [True, None],
            "kind": pd.Categorical(["a", "b"]),
            "minus": ["−1", "–"],
        }
    )
    frame.to_csv(tmp_path / "plain.csv", index=False)
    write_csv(frame, tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_bytes() == (tmp_path / "plain.csv").read_bytes()
