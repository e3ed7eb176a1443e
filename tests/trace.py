"""The trace from the paper to the code to the tests: every `Paper:` line has a marked test, every mark a `Paper:` line.

As a pytest plugin (`-p tests.trace`) it prints one line an equation and fails the run when an end dangles.
"""

from collections import defaultdict

import pytest

from theory.sources import ROOT
from theory.trace import checked_labels, dangling, functions_by_label, order, read_modules


class Trace:
    """Collects the outcome of every marked test and prints the table."""

    def __init__(self) -> None:
        self.functions = functions_by_label(read_modules(ROOT / "flatmtl_core"))
        self.tests: dict[str, set[str]] = defaultdict(set)
        self.outcomes: dict[str, str] = {}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        for item in items:
            for mark in item.iter_markers("paper"):
                for label in checked_labels(mark.args, item.nodeid):
                    self.tests[label].add(item.nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" or report.outcome != "passed":
            self.outcomes[report.nodeid] = report.outcome

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if dangling(self.functions, self.tests) and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        terminalreporter.section("from the paper to the code to the tests")
        for label in sorted({*self.functions, *self.tests}, key=order):
            functions = ", ".join(self.functions.get(label, ["no function"]))
            outcomes = [self.outcomes.get(test, "not run") for test in sorted(self.tests[label])]
            counts = ", ".join(f"{outcomes.count(outcome)} {outcome}" for outcome in sorted(set(outcomes)))
            terminalreporter.line(f"{label:<12} {functions:<70} {counts or 'no test'}")
        for sentence in dangling(self.functions, self.tests):
            terminalreporter.line(sentence, red=True)


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Trace(), "trace")
