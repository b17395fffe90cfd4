"""The version of the files that a run writes; those of former versions are refused."""

# Raised whenever runs of a former version must not stand beside new ones in a table.
# 1: teacher and students shared random numbers. 2: a stream for each purpose and role.
FORMAT = 2
