"""pytest plugin: ``pytest --weir`` judges the memory of every test and leases a device for those marked ``gpu``.

Under pytest-xdist each worker is a process of its own: the lease lets one test at a time onto a device, and the verdicts
come together in the summary of the main process.
"""

from __future__ import annotations

from typing import Any

def pytest_addoption(parser: Any) -> None:
    group = parser.getgroup("weir", "GPU leases and leak verdicts")
    group.addoption("--weir", action="store_true", help="judge the memory of every test, lease a device for gpu tests")
    group.addoption("--weir-max-leak", metavar="SIZE", default="100M",
                    help="growth of one test that fails it, with its unit (100M)")
    group.addoption("--weir-lease", choices=["test", "session", "off"], default=None,
                    help="lease the device for each gpu test, for the whole session, or not at all (default: test; "
                         "off under the profile dev)")
    group.addoption("--weir-wait", default="30m", metavar="TIME",
                    help="how long a test waits, with its unit, or in seconds (30m)")


def pytest_configure(config: Any) -> None:
    config.addinivalue_line("markers", "gpu(policy=None): runs on a leased GPU; skipped where the policy leaves none")
    if config.getoption("--weir"):
        from ._guardian import Guardian  # weir is loaded only where it is asked for

        config.pluginmanager.register(Guardian(config), "weir-guardian")
