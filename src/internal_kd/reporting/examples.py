"""The texts of a task's examples, as the workflow keeps them in data/{task}/examples.parquet."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from internal_kd.errors import UserError, as_user_error


def read_examples(
    files: Iterable[str | Path], task: str, split: str, columns: Sequence[str] | None = None
) -> pd.DataFrame:
    """The examples of a split, ascending by `index` (their row in the split).

    Args:
        files: examples.parquet of several tasks, each in a folder of the task's name.
        task: name of the task.
        split: train, validation or test; an absent one gives no rows.
        columns: of split, index, idx (the data's own), the task's texts, label; all if None.

    Raises:
        UserError: there is not exactly one file for the task, or it is not one of examples.
    """
    found = [Path(file) for file in files if Path(file).parent.name == task]
    if len(found) != 1:
        raise UserError(
            f"--examples: {len(found)} files for task {task} where one is needed; "
            f"give data/{task}/examples.parquet"
        )
    chosen = None if columns is None else list(columns)
    with as_user_error(found[0], "not a file of examples", "make it again"):
        frame = pd.read_parquet(found[0], columns=chosen, filters=[("split", "==", split)])
        return frame.sort_values("index", ignore_index=True)
