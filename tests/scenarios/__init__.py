"""What users see happen, on a real API server and on the local cluster."""

import pytest

pytest.register_assert_rewrite(
    "tests.scenarios.scene"
)  # its assertions tell what they compared, as a test's do
