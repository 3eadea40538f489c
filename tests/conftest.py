"""Which tests `make test` leaves to `make test-all`."""
import pytest

SLOW = {'test_wheel', 'test_live_mask', 'test_jupyterlab', 'test_quiz', 'test_explorer'}


def pytest_collection_modifyitems(items):
    for item in items:
        if item.path.stem in SLOW: item.add_marker(pytest.mark.slow)
