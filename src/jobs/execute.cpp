#include "jobs/execute.hpp"

#include <ctime>
#include <exception>
#include <system_error>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "base/atomic_file.hpp"
#include "base/paths.hpp"
#include "base/text.hpp"
#include "base/threads.hpp"
#include "base/version.hpp"

namespace weir::jobs {
namespace {

namespace fs = std::filesystem;

Status make_folders(const Item& item, const fs::path& records) {
  std::error_code problem;
  const auto make = [&](const fs::path& folder) -> Status {
    if (!folder.empty()) fs::create_directories(folder, problem);
    if (!problem) return ok();
    return Error{errc_of(problem.value()),
                 fmt::format("cannot create the folder {}: {}", printable(folder.native()), problem.message())};
  };
  for (const fs::path& output : item.outputs) {
    if (fs::is_directory(output, problem))
      return Error{Errc::io, fmt::format("the output {} is a folder", printable(output.native()))};
    if (problem == std::errc::filename_too_long)
      return Error{Errc::io, fmt::format("{}: {}", printable(output.native()), problem.message())};
    problem.clear();
    if (auto made = make(output.parent_path()); !made) return made;
  }
  return make(records);
}

/// A message names the file that the user knows.
void name_outputs(const Item& item, std::string& what) {
  for (const fs::path& output : item.outputs) {
    const std::string temporary = printable(temporary_of(item, output).native());
    for (std::size_t at = what.find(temporary); at != std::string::npos; at = what.find(temporary, at))
      what.replace(at, temporary.size(), printable(output.native()));
  }
}

Product run_guarded(Task& task, const Attempt& attempt) {
  Product product;
  try {
    return task.run(attempt);
  } catch (const std::exception& problem) {
    product.error = refusal_of(problem);
    if (product.error) return product;
    product.error = Error{Errc::unsupported, fmt::format("a fault of weir: {}", problem.what())};
    product.fault = true;
  }
  return product;
}

Record record_of(const Item& item, const Order& order, const Task& task, const Product& product) {
  Record record;
  record.task = item.task;
  if (auto parameters = parse_object(item.parameters)) record.parameters = *std::move(parameters);
  record.identity = product.identity;
  record.facts = product.facts;
  record.damaged = product.damaged;
  record.takes_damaged = product.takes_damaged;
  record.variant = product.variant.value_or(order.variant);
  record.variant_name = task.variants().at(record.variant);
  record.pixels = product.pixels;
  record.device = order.device;
  record.seed = seed_of(item);
  record.seconds = product.seconds;
  record.finished = fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)));
  record.version = kVersion;
  return record;
}

class Execution {
 public:
  Execution(Task& task, const Item& item, const Order& order)
      : task_{task}, item_{item}, order_{order}, places_{record_places(item, order.folder)} {}

  void run(Outcome& outcome, std::function<void(const Progress&)> progress, std::stop_token stop) {
    if (item_.problem) return fail(outcome, *item_.problem);
    auto inputs = describe_inputs();
    if (!inputs) return fail(outcome, inputs.error());
    if (auto made = make_folders(item_, order_.folder); !made) return fail(outcome, made.error());
    remove_temporaries(item_);
    const auto temporaries = temporaries_of(item_);
    outcome.product = run_guarded(task_, {item_, order_.variant, temporaries, seed_of(item_), order_.number,
                                          std::move(progress), std::move(stop), order_.stop_signal});
    const bool lasting = outcome.product.error && !outcome.product.fault && !outcome.product.retry &&
                         kind_of(outcome.product.error->code) == FailureKind::persistent;
    Record record = record_of(item_, order_, task_, outcome.product);
    record.inputs = *std::move(inputs);
    if (!outcome.product.error) return publish_outputs(outcome, std::move(record));
    remove_temporaries(item_);
    name_outputs(item_, outcome.product.error->what);
    record.failure = outcome.product.error;
    if (lasting && order_.keep_records) (void)write_failure(record, places_);  // the failure itself is told
  }

 private:
  /// For the record; empty without one.
  Result<std::vector<RecordedFile>> describe_inputs() const {
    std::vector<RecordedFile> files;
    if (!order_.keep_records) return files;
    for (const fs::path& input : item_.inputs) {
      const auto facts = file_facts(input);
      if (!facts) return Error{Errc::io, "no such file"};
      auto hash = hash_file(input);
      if (!hash) return hash.error();
      files.push_back({encode_path(identity(input)), {}, *facts, *std::move(hash)});
    }
    return files;
  }

  void fail(Outcome& outcome, Error error) const {
    name_outputs(item_, error.what);
    outcome.product.error = std::move(error);
  }

  void publish_outputs(Outcome& outcome, Record record) const {
    const auto published = order_.keep_records ? publish(item_, std::move(record), places_, order_.replace)
                                               : publish_bare(item_, order_.replace);
    if (!published) return fail(outcome, published.error());
    outcome.sync_s = published->sync_s;
  }

  Task& task_;
  const Item& item_;
  const Order& order_;
  RecordPlaces places_;
};

}  // namespace

Outcome execute(Task& task, const Item& item, const Order& order, std::function<void(const Progress&)> progress,
                std::stop_token stop) {
  Outcome outcome;
  const auto start = std::chrono::steady_clock::now();
  Execution{task, item, order}.run(outcome, std::move(progress), std::move(stop));
  outcome.total_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return outcome;
}

}  // namespace weir::jobs
