"""The demonstration that ``make demo`` tells: both halves against a local FinSpace, under real engines."""
