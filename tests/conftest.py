"""What all tests share."""

import os

import hypothesis

pytest_plugins = ["tests.apiserver.fixtures"]

hypothesis.settings.register_profile("reproducible", derandomize=True, deadline=None, print_blob=True)
hypothesis.settings.register_profile("searching", deadline=None, print_blob=True)
hypothesis.settings.load_profile("reproducible" if os.environ.get("CI") else "searching")
