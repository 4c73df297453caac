"""pytest plugin: ``pytest --weir`` judges the memory of every test and leases a device for those marked ``gpu``.

Under pytest-xdist each worker is a process of its own: the lease lets one test at a time onto a device, and the verdicts
come together in the summary of the main process.
"""

from __future__ import annotations

from typing import Any

import pytest

PROPERTY = "weir"
"""The name of a test's verdict among its user properties, which xdist carries to the main process."""


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
        config.pluginmanager.register(Guardian(config), "weir-guardian")


def limit_of(text: str) -> int:
    from weir._sizes import parse_size

    from weir import WeirError

    try:
        return parse_size(text)
    except WeirError as error:
        raise pytest.UsageError(f"--weir-max-leak: {error}") from None


def checked_wait(text: str) -> str:
    from weir import WeirError, _native
    from weir._errors import translated

    try:
        _native.check_policy(["--wait", text])
    except RuntimeError as error:
        problem: WeirError = translated(error)
        raise pytest.UsageError(f"--weir-wait: {problem}") from None
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
        import weir

        self.weir = weir
        self.config = config
        self.max_leak = limit_of(config.getoption("--weir-max-leak"))
        self.wait = checked_wait(config.getoption("--weir-wait"))
        lease = config.getoption("--weir-lease")
        self.leases = lease or ("off" if weir._settings.settings()["lease"] is False else "test")
        self.session_lease: Any = None
        self.why_not: dict[str, str] = {}  # by policy: why its tests do not run under the session's lease
        self.leaks: list[tuple[str, str]] = []  # node id, evidence; in the order in which tests end

    # --- leases

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_setup(self, item: Any) -> Any:
        marker = item.get_closest_marker("gpu")
        item._weir_lease = None
        if marker is not None and self.leases != "off":
            item._weir_lease = self._lease(marker)
        item._weir_scope = self.weir._guard.start(item.nodeid)
        yield

    def _lease(self, marker: Any) -> Any:
        policy = marker.args[0] if marker.args else marker.kwargs.get("policy")
        try:
            taken = self.weir.lease(policy, wait=self.wait, job="pytest")
        except self.weir.WeirError as error:
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
            machine = self.weir.Machine(policy)
        except self.weir.PolicyError as error:
            return str(error)
        except self.weir.WeirError as error:
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
        except self.weir.PolicyError as error:
            pytest.skip(f"weir: {error}")
        except (self.weir.LeaseTimeout, self.weir.PlacementError) as error:
            pytest.fail(f"weir: {error}", pytrace=False)
        return taken

    # --- verdicts

    @pytest.hookimpl(hookwrapper=True, trylast=True)
    def pytest_runtest_teardown(self, item: Any) -> Any:
        outcome = yield
        scope, item._weir_scope = getattr(item, "_weir_scope", None), None
        taken, item._weir_lease = getattr(item, "_weir_lease", None), None
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
            fail(outcome, self.weir.LeakError(
                f"{item.nodeid} kept {result['growth'] / (1 << 20):.1f} MiB: {result['evidence']}", result))

    def _placement_problem(self, taken: Any) -> Any:
        try:
            taken.check()
        except self.weir.PlacementError as error:
            return error
        return None

    def _judge(self, item: Any, scope: Any) -> dict[str, Any]:
        self.weir.clean_up()
        result = self.weir._guard.finish(item.nodeid, scope, False)
        self.weir._guard.after_scope(item.nodeid, result)
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
