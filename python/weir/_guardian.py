"""Judges the memory of every test and leases devices for them: what ``pytest --weir`` does."""

from __future__ import annotations

from typing import Any

import pytest

from . import _guard, _native
from ._cleanup import clean_up
from ._device import Machine, lease
from ._errors import LeakError, LeaseTimeout, PlacementError, PolicyError, WeirError, translated
from ._scopes import after_scope
from ._settings import settings
from ._sizes import parse_size

PROPERTY = "weir"
"""The name of a test's verdict among its user properties, which xdist carries to the main process."""

LEASE = pytest.StashKey[Any]()
SCOPE = pytest.StashKey[Any]()
"""Of a test that runs: the device that it was leased, and its scope of the guard."""


def limit_of(text: str) -> int:
    try:
        return parse_size(text)
    except WeirError as error:
        raise pytest.UsageError(f"--weir-max-leak: {error}") from None


def checked_wait(text: str) -> str:
    try:
        _native.check_policy(["--wait", text])
    except RuntimeError as error:
        raise pytest.UsageError(f"--weir-wait: {translated(error)}") from None
    return text


def fail(outcome: Any, error: Exception) -> None:
    """Makes the outcome of a hook an error."""
    if hasattr(outcome, "force_exception"):
        outcome.force_exception(error)
    else:  # pluggy 1.0, as Debian 12 has it
        outcome._excinfo = (type(error), error, error.__traceback__)


class Guardian:
    """One per process; the main process of xdist only collects."""

    def __init__(self, config: Any) -> None:
        self.config = config
        self.max_leak = limit_of(config.getoption("--weir-max-leak"))
        self.wait = checked_wait(config.getoption("--weir-wait"))
        self.leases = config.getoption("--weir-lease") or ("off" if settings()["lease"] is False else "test")
        self.session_lease: Any = None
        self.why_not: dict[str, str] = {}  # by policy: why its tests do not run under the session's lease
        self.leaks: list[tuple[str, str]] = []  # node id, evidence; in the order in which tests end

    # --- leases

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_setup(self, item: Any) -> Any:
        marker = item.get_closest_marker("gpu")
        item.stash[LEASE] = None
        if marker is not None and self.leases != "off":
            item.stash[LEASE] = self._lease(marker)
        item.stash[SCOPE] = _guard.start(item.nodeid)
        yield

    def _lease(self, marker: Any) -> Any:
        policy = marker.args[0] if marker.args else marker.kwargs.get("policy")
        try:
            taken = lease(policy, wait=self.wait, job="pytest")
        except WeirError as error:
            pytest.fail(f"weir: {error}", pytrace=False)
        if self.leases == "session" and self.session_lease is not None:
            self._skip_elsewhere(policy)
            return None
        if self.leases == "session":
            self.session_lease = self._enter(taken)
            return None
        return self._enter(taken)

    def _skip_elsewhere(self, policy: Any) -> None:
        """Skips a test whose policy does not name the device of the session's lease, as it would be skipped if it came first."""
        key = repr(policy)
        if key not in self.why_not:
            self.why_not[key] = self._why_not(policy)
        if self.why_not[key]:
            pytest.skip(f"weir: {self.why_not[key]}")

    def _why_not(self, policy: Any) -> str:
        held = self.session_lease.device
        try:
            machine = Machine(policy)
        except PolicyError as error:
            return str(error)
        except WeirError as error:
            pytest.fail(f"weir: {error}", pytrace=False)
        if not machine.allowed:
            return f"the session's lease is of {held.name}: {machine.native.refusal()}"
        if any((one.pci, one.uuid) == (held.pci, held.uuid) for one in machine.allowed):
            return ""
        names = ", ".join(one.name for one in machine.allowed)
        return f"the session's lease is of {held.name}, and this test is for {names}"

    def _enter(self, taken: Any) -> Any:
        try:
            taken.__enter__()
        except PolicyError as error:
            pytest.skip(f"weir: {error}")
        except (LeaseTimeout, PlacementError) as error:
            pytest.fail(f"weir: {error}", pytrace=False)
        return taken

    # --- verdicts

    @pytest.hookimpl(hookwrapper=True, trylast=True)
    def pytest_runtest_teardown(self, item: Any) -> Any:
        outcome = yield
        scope, item.stash[SCOPE] = item.stash.get(SCOPE, None), None
        taken, item.stash[LEASE] = item.stash.get(LEASE, None), None
        placement = None
        try:
            held = taken or (self.session_lease if item.get_closest_marker("gpu") is not None else None)
            if held is not None:
                placement = self._placement_problem(held)
            result = self._judge(item, scope) if scope is not None else None
        finally:
            if taken is not None:
                taken.release()
        if placement is not None and outcome.excinfo is None:
            fail(outcome, placement)
        elif result is not None and result["growth"] > self.max_leak and outcome.excinfo is None:
            fail(outcome, LeakError(
                f"{item.nodeid} kept {result['growth'] / (1 << 20):.1f} MiB: {result['evidence']}", result))

    def _placement_problem(self, taken: Any) -> Any:
        try:
            taken.check()
        except PlacementError as error:
            return error
        return None

    def _judge(self, item: Any, scope: Any) -> dict[str, Any]:
        clean_up()
        result = _guard.finish(item.nodeid, scope, False)
        after_scope(item.nodeid, result)
        item.user_properties.append((PROPERTY, {"verdict": result["verdict"], "growth": result["growth"],
                                                "evidence": result["evidence"]}))
        if result["verdict"] != "clean" or result["growth"] > self.max_leak:
            item.add_report_section("teardown", "weir", f"{result['verdict']}: {result['evidence']}")
        return result

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.when != "teardown":
            return
        for name, value in report.user_properties:
            if name == PROPERTY and (value["growth"] > self.max_leak or value["verdict"] != "clean"):
                self.leaks.append((report.nodeid, value["evidence"]))

    # --- the end

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
