"""What concerns all tests."""


def pytest_collection_modifyitems(items):
    """The longest test first, so that the others run beside it and not before it."""
    items.sort(key=lambda item: item.get_closest_marker("end_to_end") is None)
