// The program of a part of weir that has its own worker processes. Tests use it instead of weir-audit.
//
// usage: weir-audit FOLDER FILE...
// Each FILE is an item. A worker writes a file of the same name into FOLDER; it contains the name of the worker's
// program.

#include <memory>
#include <string>

#include <fmt/format.h>

#include "base/atomic_file.hpp"
#include "base/this_process.hpp"
#include "cli/main_program.hpp"
#include "jobs/coordinator.hpp"
#include "runs/worker_program.hpp"

namespace weir {
namespace {

/// Writes the file name of the running program to the output of an item.
class ProgramNameTask final : public jobs::Task {
 public:
  std::vector<std::string> variants() const override { return {"only"}; }
  Result<jobs::Estimate> estimate(const jobs::Item&, std::size_t) override { return jobs::Estimate{}; }
  jobs::AttemptResult run(const jobs::Attempt& attempt) override {
    jobs::AttemptResult result;
    if (auto written = write_file(attempt.outputs.front(), program_file().filename().native()); !written)
      result.error = written.error();
    return result;
  }
};

/// Returns the factory of the only kind of task, "name".
jobs::TaskFactories task_factories() {
  return {{"name", [](const jobs::Json&, const jobs::WorkerResources&) -> Result<std::unique_ptr<jobs::Task>> {
             return std::unique_ptr<jobs::Task>{std::make_unique<ProgramNameTask>()};
           }}};
}

/// Prints the messages of a run to standard error and ignores all other events.
struct MessagePrinter final : jobs::RunObserver {
  void on_decision(const jobs::Item&, const jobs::Decision&) override {}
  void on_item_result(const jobs::Item&, const jobs::ItemResult&) override {}
  void on_progress(const jobs::RunProgress&) override {}
  void on_message(jobs::Severity, const std::string& text) override { fmt::print(stderr, "{}\n", text); }
};

cli::ExitResult run(const cli::Invocation& invocation) {
  const auto& operands = invocation.command_line.operands;
  jobs::RunSettings settings;
  settings.task = "name";
  settings.worker_command = runs::worker_arguments();
  settings.ram_limit = Bytes{std::uint64_t{1} << 30};
  settings.outputs = operands.front();
  auto device = jobs::cpu_device("cpu", {}, 1);
  if (!device) return {cli::ExitStatus::nothing_started, device.error().what, {}};
  settings.devices.push_back(*std::move(device));
  std::vector<jobs::Item> items;
  for (std::size_t i = 1; i < operands.size(); ++i) {
    const std::filesystem::path input = operands[i];
    items.push_back({.task = "name", .inputs = {input}, .outputs = {settings.outputs / input.filename()}});
  }
  MessagePrinter printer;
  observe::EventLog events;
  observe::Metrics metrics;
  const auto identity = [](const jobs::Item&, const jobs::Json&) { return jobs::Json::object(); };
  const auto totals = jobs::Coordinator{settings, items, identity, printer, events, metrics}.run();
  if (!totals) return {cli::ExitStatus::nothing_started, totals.error().what, {}};
  return cli::print(fmt::format("{} of {} done\n", totals->done, totals->items));
}

constexpr cli::PartCommand kCommand{"audit", run, task_factories};

}  // namespace
}  // namespace weir

int main(int argc, char** argv) { return weir::cli::main_program(argc, argv, &weir::kCommand); }
