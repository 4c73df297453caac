// `weir report`: writes the report of a run as an HTML file.

#include <fstream>

#include <fmt/format.h>

#include "base/atomic_file.hpp"
#include "base/file_facts.hpp"
#include "base/text.hpp"
#include "cli/command.hpp"
#include "jobs/run_folder.hpp"
#include "observe/run_report.hpp"

namespace weir::cli {
namespace {

constexpr char kDefaultName[] = "report.html";

}  // namespace

ExitResult run_report(const Invocation& invocation) {
  const Arguments& args = invocation.args();
  if (args.operands.size() != 1) return {ExitStatus::wrong_usage, "one run is expected; see 'weir help report'"};
  const auto events = jobs::find_events_file(args.operands.front());
  if (!events) return {ExitStatus::nothing_started, events.error().what};
  std::ifstream lines{*events};
  const auto report = observe::read_run_report(lines);
  if (report.start_time.empty())
    return {ExitStatus::nothing_started, fmt::format("{}: has no run in it", printable(events->native()))};
  const std::string output = args.output.empty() ? kDefaultName : args.output;
  if (output == "-") return print(observe::run_report_html(report));
  if (auto own = check_own_file(output, observe::kRunReportStart, "report of weir"); !own)
    return {ExitStatus::some_failed, own.error().what};
  if (auto written = write_file(output, observe::run_report_html(report)); !written)
    return {ExitStatus::some_failed, written.error().what};
  return {};
}

}  // namespace weir::cli
