"""What this project costs, side by side with a peer or a floor: ``python -m benchmarks``."""
