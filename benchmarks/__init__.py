"""The benchmarks: one script per question, each side by side with its peer in one run; results in ``results/``."""
