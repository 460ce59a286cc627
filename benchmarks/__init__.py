"""Performance figures: `make bench` prints all of them, as ratios measured in one run, and fails nothing."""
