"""Privileges that a test needs."""

import subprocess

import pytest

# For mounts, networks and processes of other users. In a chroot, / may be no mount point, and unshare refuses.
needs_root = pytest.mark.skipif(
    subprocess.run(["unshare", "--mount", "--net", "true"], stderr=subprocess.DEVNULL).returncode != 0,
    reason="it takes root, and a / that is a mount point, to unshare mounts and networks",
)
