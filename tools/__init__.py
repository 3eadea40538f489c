"""What the project's makers use: `python -m tools.run_tests` and its neighbours. None of it is in the wheel."""
