"""The hooks of ``pytest --weir``: they measure the memory of every test and lease devices for gpu tests."""

from __future__ import annotations

from typing import Any

import pytest

from . import _guard, _native
from ._cleanup import clean_up
from ._device import Machine, lease
from ._errors import LeakError, LeaseTimeout, PlacementError, PolicyError, WeirError, to_weir_error
from ._scopes import report_scope
from ._settings import settings
from ._sizes import parse_size

RESULT_PROPERTY = "weir"
"""Name of the user property that holds a test's result. xdist sends user properties to the main process."""

LEASE_KEY = pytest.StashKey[Any]()
SCOPE_KEY = pytest.StashKey[Any]()
"""Stash keys of a running test: its own lease (None without one) and its scope of the guard."""


def max_leak_bytes(text: str) -> int:
    """Parses the option --weir-max-leak. Raises UsageError."""
    try:
        return parse_size(text)
    except WeirError as error:
        raise pytest.UsageError(f"--weir-max-leak: {error}") from None


def check_wait(text: str) -> str:
    """Checks the option --weir-wait and returns it. Raises UsageError."""
    try:
        _native.check_policy(["--wait", text])
    except RuntimeError as error:
        raise pytest.UsageError(f"--weir-wait: {to_weir_error(error)}") from None
    return text


def set_failure(outcome: Any, error: Exception) -> None:
    """Makes a hook's outcome this error."""
    if hasattr(outcome, "force_exception"):
        outcome.force_exception(error)
    else:  # pluggy 1.0, the version of Debian 12
        outcome._excinfo = (type(error), error, error.__traceback__)


class PytestHooks:
    """Hooks of one process. With xdist the main process only collects the results."""

    def __init__(self, config: Any) -> None:
        self.config = config
        self.max_leak = max_leak_bytes(config.getoption("--weir-max-leak"))
        self.wait = check_wait(config.getoption("--weir-wait"))
        self.leases = config.getoption("--weir-lease") or ("off" if settings()["lease"] is False else "test")
        self.session_lease: Any = None
        self.skip_reasons: dict[str, str] = {}  # policy -> why its tests cannot use the session's lease; "" if they can
        self.leaks: list[tuple[str, str]] = []  # (node id, evidence) in the order in which the tests end

    # --- leases

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_setup(self, item: Any) -> Any:
        marker = item.get_closest_marker("gpu")
        item.stash[LEASE_KEY] = None
        if marker is not None and self.leases != "off":
            item.stash[LEASE_KEY] = self._lease(marker)
        item.stash[SCOPE_KEY] = _guard.start_scope(item.nodeid)
        yield

    def _lease(self, marker: Any) -> Any:
        """Returns the lease of one test; None if it uses the session's lease. Skips or fails the test without one."""
        policy = marker.args[0] if marker.args else marker.kwargs.get("policy")
        try:
            test_lease = lease(policy, wait=self.wait, job="pytest")
        except WeirError as error:
            pytest.fail(f"weir: {error}", pytrace=False)
        if self.leases == "session" and self.session_lease is not None:
            self._skip_if_other_device(policy)
            return None
        if self.leases == "session":
            self.session_lease = self._acquire(test_lease)
            return None
        return self._acquire(test_lease)

    def _skip_if_other_device(self, policy: Any) -> None:
        """Skips a test whose policy does not allow the device of the session's lease, in any order of the tests."""
        key = repr(policy)
        if key not in self.skip_reasons:
            self.skip_reasons[key] = self._skip_reason(policy)
        if self.skip_reasons[key]:
            pytest.skip(f"weir: {self.skip_reasons[key]}")

    def _skip_reason(self, policy: Any) -> str:
        """Returns why a test of this policy cannot use the session's lease; empty if it can."""
        held = self.session_lease.device
        try:
            machine = Machine(policy)
        except PolicyError as error:
            return str(error)
        except WeirError as error:
            pytest.fail(f"weir: {error}", pytrace=False)
        if not machine.allowed:
            return f"the session's lease is of {held.name}: {machine.native.no_device_error()}"
        if any((one.pci, one.uuid) == (held.pci, held.uuid) for one in machine.allowed):
            return ""
        names = ", ".join(one.name for one in machine.allowed)
        return f"the session's lease is of {held.name}, and this test is for {names}"

    def _acquire(self, test_lease: Any) -> Any:
        try:
            test_lease.__enter__()
        except PolicyError as error:
            pytest.skip(f"weir: {error}")
        except (LeaseTimeout, PlacementError) as error:
            pytest.fail(f"weir: {error}", pytrace=False)
        return test_lease

    # --- results

    @pytest.hookimpl(hookwrapper=True, trylast=True)
    def pytest_runtest_teardown(self, item: Any) -> Any:
        outcome = yield
        scope, item.stash[SCOPE_KEY] = item.stash.get(SCOPE_KEY, None), None
        test_lease, item.stash[LEASE_KEY] = item.stash.get(LEASE_KEY, None), None
        placement = None
        try:
            held = test_lease or (self.session_lease if item.get_closest_marker("gpu") is not None else None)
            if held is not None:
                placement = self._placement_problem(held)
            result = self._finish_scope(item, scope) if scope is not None else None
        finally:
            if test_lease is not None:
                test_lease.release()
        if placement is not None and outcome.excinfo is None:
            set_failure(outcome, placement)
        elif result is not None and result["growth"] > self.max_leak and outcome.excinfo is None:
            set_failure(outcome, LeakError(
                f"{item.nodeid} kept {result['growth'] / (1 << 20):.1f} MiB: {result['evidence']}", result))

    def _placement_problem(self, test_lease: Any) -> Any:
        try:
            test_lease.check()
        except PlacementError as error:
            return error
        return None

    def _finish_scope(self, item: Any, scope: Any) -> dict[str, Any]:
        clean_up()
        result = _guard.finish_scope(item.nodeid, scope, False)
        report_scope(item.nodeid, result)
        item.user_properties.append((RESULT_PROPERTY, {"verdict": result["verdict"], "growth": result["growth"],
                                                "evidence": result["evidence"]}))
        if result["verdict"] != "clean" or result["growth"] > self.max_leak:
            item.add_report_section("teardown", "weir", f"{result['verdict']}: {result['evidence']}")
        return result

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.when != "teardown":
            return
        for name, value in report.user_properties:
            if name == RESULT_PROPERTY and (value["growth"] > self.max_leak or value["verdict"] != "clean"):
                self.leaks.append((report.nodeid, value["evidence"]))

    # --- end of the session

    def pytest_sessionfinish(self) -> None:
        if self.session_lease is not None:
            self.session_lease.release()

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        if not self.leaks:
            terminalreporter.write_line("weir: no test leaked")
            return
        terminalreporter.section("weir: memory that did not come back")
        terminalreporter.write_line(f"first: {self.leaks[0][0]}")
        for node, evidence in self.leaks:
            terminalreporter.write_line(f"  {node}: {evidence}")
