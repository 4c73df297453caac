#include <fstream>

#include <fmt/format.h>

#include "base/atomic_file.hpp"
#include "base/text.hpp"
#include "cli/command.hpp"
#include "jobs/run_folder.hpp"
#include "observe/run_story.hpp"

namespace weir::cli {
namespace {

constexpr char kDefaultName[] = "report.html";

}  // namespace

Ending run_report(const Invocation& invocation) {
  const Arguments& args = invocation.args();
  if (args.operands.size() != 1) return {Exit::wrong_usage, "one run is expected; see 'weir help report'"};
  const auto events = jobs::events_of(args.operands.front());
  if (!events) return {Exit::nothing_started, events.error().what};
  std::ifstream lines{*events};
  const auto story = observe::read_story(lines);
  if (story.started.empty())
    return {Exit::nothing_started, fmt::format("{}: has no run in it", printable(events->native()))};
  const std::string output = args.output.empty() ? kDefaultName : args.output;
  if (output == "-") return print(observe::story_html(story));
  if (auto written = write_file(output, observe::story_html(story)); !written)
    return {Exit::some_failed, written.error().what};
  return {};
}

}  // namespace weir::cli
