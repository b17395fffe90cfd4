"""What a study is made of, as types that both the config and the jobs are read into; no torch."""
