"""Tests. What they share is in testing/, whose asserts explain themselves too."""

import pytest

pytest.register_assert_rewrite("testing")
