// A part's program for tests, which put it in the place of weir-audit. FOLDER FILE...: each file is an item; its output in FOLDER
// is the file name of the program that made it.

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

class NameTheProgram final : public jobs::Task {
 public:
  std::vector<std::string> variants() const override { return {"only"}; }
  Result<jobs::Estimate> estimate(const jobs::Item&, std::size_t) override { return jobs::Estimate{}; }
  jobs::Product run(const jobs::Attempt& attempt) override {
    jobs::Product product;
    if (auto written = write_file(attempt.outputs.front(), program_file().filename().native()); !written)
      product.error = written.error();
    return product;
  }
};

jobs::TaskKinds kinds() {
  return {{"name", [](const jobs::Json&, const jobs::Means&) -> Result<std::unique_ptr<jobs::Task>> {
             return std::unique_ptr<jobs::Task>{std::make_unique<NameTheProgram>()};
           }}};
}

struct Silent final : jobs::RunObserver {
  void decided(const jobs::Item&, const jobs::Decision&) override {}
  void ended(const jobs::Item&, const jobs::ItemEnd&) override {}
  void progress(const jobs::RunProgress&) override {}
  void said(jobs::Loudness, const std::string& text) override { fmt::print(stderr, "{}\n", text); }
};

cli::Ending run(const cli::Invocation& invocation) {
  const auto& words = invocation.line.operands;
  jobs::RunSettings settings;
  settings.task = "name";
  settings.worker_command = runs::worker_command();
  settings.ram = Bytes{std::uint64_t{1} << 30};
  settings.outputs = words.front();
  auto device = jobs::cpu_device("cpu", {}, 1);
  if (!device) return {cli::Exit::nothing_started, device.error().what, {}};
  settings.devices.push_back(*std::move(device));
  std::vector<jobs::Item> items;
  for (std::size_t i = 1; i < words.size(); ++i) {
    const std::filesystem::path input = words[i];
    items.push_back({.task = "name", .inputs = {input}, .outputs = {settings.outputs / input.filename()}});
  }
  Silent silent;
  observe::EventLog events;
  observe::Metrics metrics;
  const auto identity = [](const jobs::Item&, const jobs::Json&) { return jobs::Json::object(); };
  const auto totals = jobs::Coordinator{settings, items, identity, silent, events, metrics}.run();
  if (!totals) return {cli::Exit::nothing_started, totals.error().what, {}};
  return cli::print(fmt::format("{} of {} done\n", totals->done, totals->items));
}

constexpr cli::OwnCommand kOwn{"audit", run, kinds};

}  // namespace
}  // namespace weir

int main(int argc, char** argv) { return weir::cli::main_program(argc, argv, &weir::kOwn); }
