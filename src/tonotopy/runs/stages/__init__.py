"""What work units do, one file a stage: ``run(bench, unit)`` computes and writes one unit."""
