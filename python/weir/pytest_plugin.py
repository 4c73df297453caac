"""pytest plugin: ``pytest --weir`` checks the memory of every test and leases a device for tests marked ``gpu``.

Under pytest-xdist each worker is a separate process. The lease lets one test at a time use a device, and the main
process collects all results in its summary.
"""

from __future__ import annotations

from typing import Any

def pytest_addoption(parser: Any) -> None:
    group = parser.getgroup("weir", "GPU leases and leak verdicts")
    group.addoption("--weir", action="store_true", help="check the memory of every test, lease a device for gpu tests")
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
        from ._pytest_hooks import PytestHooks  # imported only if the option is given

        config.pluginmanager.register(PytestHooks(config), "weir-guardian")
