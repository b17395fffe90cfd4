"""The programs that the workflow's rules call."""

import gc
import sys
from types import TracebackType

# Nothing is garbage while a program's packages are imported: collecting takes an eighth of
# the time. `cli.run_job` collects again. Who imports a job as a module is left alone.
if sys.argv[:1] == ["-m"]:
    gc.disable()

    def _report_shortage(
        kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        """Memory can run out while packages are imported, before a job can report it."""
        reason: BaseException | None = error
        while reason is not None:
            if isinstance(reason, MemoryError) or "allocate memory" in str(reason):
                sys.stderr.write("error: memory: not enough to start with; give the job more\n")
                return
            reason = reason.__cause__ or reason.__context__
        sys.__excepthook__(kind, error, trace)

    sys.excepthook = _report_shortage
