"""The programs that the workflow's rules call."""

import gc
import sys
from typing import Any

# Nothing is garbage while a program's packages are imported: collecting takes an eighth of
# the time. `cli.run_stage` collects again. Who imports a stage as a module is left alone.
if sys.argv[:1] == ["-m"]:
    gc.disable()

    def _report_memory(kind: type[BaseException], error: BaseException, *more: Any) -> None:
        """Memory can run out while packages are imported, before a stage can report it."""
        reason: BaseException | None = error
        while reason is not None:
            if isinstance(reason, MemoryError) or "allocate memory" in str(reason):
                sys.stderr.write("error: memory: not enough to start with; give the job more\n")
                return
            reason = reason.__cause__ or reason.__context__
        sys.__excepthook__(kind, error, *more)

    sys.excepthook = _report_memory
