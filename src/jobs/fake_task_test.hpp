#pragma once

// A task kind for tests. Its output is the text of all inputs, reversed. It fails in the way that an item requests.

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/atomic_file.hpp"
#include "base/disk_space.hpp"
#include "folder.hpp"
#include "jobs/coordinator.hpp"
#include "jobs/task.hpp"

namespace weir::jobs::test {

namespace fs = std::filesystem;

using weir::test::Folder;

inline std::string text_of(const fs::path& path) {
  std::ifstream file{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{file}, {}};
}

inline std::string backwards(std::string text) {
  std::reverse(text.begin(), text.end());
  return text;
}

/// The task. The field "do" in an item's parameters selects its failure, such as "die" or "hang"; "seconds" is the
/// duration of the work, "estimate_seconds" that of its estimate. "stages" has
/// AttemptResult::stage_seconds. To the file "log" an estimate adds "e", an attempt "r".
class FakeTask final : public Task {
 public:
  FakeTask(const Json& settings, Bytes ram) : settings_(settings), ram_{ram} {}  // braces would make a JSON array
  std::vector<std::string> variants() const override { return {"large", "small"}; }

  Result<Estimate> estimate(const Item& item, std::size_t variant) override {
    const Json parameters = *parse_object(item.parameters);
    const std::chrono::duration<double> delay{number_field(parameters, "estimate_seconds")};
    if (delay.count() > 0) std::this_thread::sleep_for(delay);
    if (const std::string log = text_field(parameters, "log"); !log.empty()) std::ofstream{log, std::ios::app} << 'e';
    Estimate estimate{
        .cost = std::max(1.0, number_field(parameters, "cost")), .ram = Bytes{1000}, .output = Bytes{1000}};
    estimate.input_size = "1";
    estimate.compute_config.backend = backend();
    if (text_field(parameters, "do") == "never fits") return Error{Errc::over_budget, "too large"};
    if (variant == 0 && text_field(parameters, "do") == "fits below") return Error{Errc::over_budget, "too large"};
    const auto space = disk_space(item.outputs.front().parent_path());
    if (text_field(parameters, "do") == "expects much") estimate.output = space->total;
    if (text_field(parameters, "do") == "expects the impossible") estimate.output = space->total * 2;
    return estimate;
  }

  /// The worker calls this after it has published the outputs and before it reports the result, so a death here is
  /// unheard: the coordinator gets no result of the finished item.
  Bytes pooled_memory() const override {
    if (dies_unheard_) kill(getpid(), SIGKILL);
    return pool_;
  }
  Bytes device_memory() const override { return device_memory_; }

  AttemptResult run(const Attempt& attempt) override {
    AttemptResult result;
    result.compute_config.backend = backend();
    result.identity = {{"version", text_field(settings_, "version")}};
    result.amount = 1;
    const Json parameters = *parse_object(attempt.item.parameters);
    const Json stages = object_field(parameters, "stages");
    for (const auto& [stage, seconds] : stages.items()) result.stage_seconds[stage] = seconds.get<double>();
    if (const std::string log = text_field(parameters, "log"); !log.empty()) std::ofstream{log, std::ios::app} << 'r';
    if (text_field(parameters, "do") == "see only a small device") result.variant = 1;
    if (text_field(parameters, "do") == "fail twice" && attempt.attempt_number < 3) {
      result.error = Error{Errc::failed, "it failed"};
      result.retry = result.unstable = true;
      return result;
    }
    if (auto error = misbehave(attempt, text_field(parameters, "do"))) {
      result.error = std::move(error);
      return result;
    }
    const auto until =
        std::chrono::steady_clock::now() + std::chrono::duration<double>(number_field(parameters, "seconds"));
    while (std::chrono::steady_clock::now() < until && !attempt.stop.stop_requested()) {
      std::this_thread::sleep_for(std::chrono::milliseconds{2});
      attempt.progress({0.5, 0.5});
    }
    if (attempt.stop.stop_requested())
      result.error = Error{Errc::cancelled, "interrupted"};
    else if (auto written = write(attempt); !written)
      result.error = written.error();
    return result;
  }

 private:
  /// Returns the backend of the device: "fake", or the value of the variable WEIR_TEST_BACKEND.
  static std::string backend() {
    const char* const name = std::getenv("WEIR_TEST_BACKEND");  // NOLINT(concurrency-mt-unsafe)
    return name == nullptr ? "fake" : name;
  }
  static Status write(const Attempt& attempt) {
    std::string all;
    for (const auto& input : attempt.item.inputs) all += text_of(input);
    if (all == "broken") return Error{Errc::corrupt, "the input is broken"};
    auto file = AtomicFile::create(attempt.outputs.front(), false);
    if (!file) return file.error();
    const std::string text = backwards(all) + (attempt.variant > 0 ? " (small)" : "");
    if (::write(file->fd(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
      return Error{errc_from_errno(errno), "write: " + errno_text(errno)};
    return file->commit();
  }

  /// Fails as `what` requests: ends the process, hangs, leaks, or returns an error; empty: no failure.
  std::optional<Error> misbehave(const Attempt& attempt, const std::string& what) {
    if (what == "die") kill(getpid(), SIGKILL);
    if (what == "die once" && !fs::exists(death_file(attempt))) {
      std::ofstream{death_file(attempt)} << "died";
      kill(getpid(), SIGKILL);
    }
    if (what == "die unheard once" && !fs::exists(death_file(attempt))) {
      std::ofstream{death_file(attempt)} << "died";
      dies_unheard_ = true;
    }
    if (what == "hang") std::this_thread::sleep_for(std::chrono::hours{1});
    if (what == "throw") throw std::runtime_error{"thrown"};
    if (what == "run out" && attempt.variant == 0) return Error{Errc::over_budget, "the device is full"};
    if (what == "fill the disk") return Error{Errc::disk_full, "no space left on device"};
    if (what == "never fits") return Error{Errc::over_budget, "too large"};
    if (what == "lose device") return Error{Errc::device_lost, "the device is lost"};
    if (what == "grow pool") pool_ += 30_MiB;
    if (what == "grow device") device_memory_ += 30_MiB;
    if (what == "leak") {
      leaked_.emplace_back(std::size_t{30} << 20, 'x');
      // Writes to each page, so that the memory becomes resident.
      for (std::size_t i = 0; i < leaked_.back().size(); i += 4096) leaked_.back()[i] = 'y';
    }
    return std::nullopt;
  }
  /// Returns the path of a file that shows that an item's worker has died once.
  static fs::path death_file(const Attempt& attempt) { return attempt.item.inputs.front().native() + ".mark"; }

  Json settings_;
  Bytes ram_, pool_, device_memory_;
  bool dies_unheard_ = false;
  std::vector<std::string> leaked_;
};

inline TaskFactories fake_task_factories() {
  return {{"fake", [](const Json& settings, const WorkerResources& resources) -> Result<std::unique_ptr<Task>> {
             if (bool_field(settings, "unfit")) return Error{Errc::unsupported, "this kind is not available"};
             return std::unique_ptr<Task>{std::make_unique<FakeTask>(settings, resources.ram)};
           }}};
}

}  // namespace weir::jobs::test
