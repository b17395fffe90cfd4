"""From a config to tasks, experiments, runs and paths: plain data, read when the DAG is built."""
