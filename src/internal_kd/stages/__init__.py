"""The programs that the workflow's rules call."""

import gc
import sys

# Nothing is garbage while a program's packages are imported: looking for some takes an eighth of
# the time. `cli.run_stage` collects again. Who imports a stage as a module is left alone.
if sys.argv[:1] == ["-m"]:
    gc.disable()
