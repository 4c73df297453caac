#include "jobs/publish.hpp"

#include <chrono>
#include <set>
#include <system_error>

#include <fmt/format.h>

#include "base/atomic_file.hpp"
#include "base/rename_file.hpp"
#include "base/text.hpp"

namespace weir::jobs {
namespace {

namespace fs = std::filesystem;

/// Adds the lifetime of the object, in seconds, to a sum.
class Stopwatch {
 public:
  explicit Stopwatch(double& sum) : sum_{sum} {}
  ~Stopwatch() { sum_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count(); }
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;

 private:
  double& sum_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// Returns the descriptions of the outputs for the record, made from the temporary files.
Result<std::vector<RecordedFile>> describe_outputs(const Item& item, const std::function<void()>& progress) {
  std::vector<RecordedFile> files;
  for (const fs::path& output : item.outputs) {
    const fs::path temporary = temporary_path(item, output);
    const auto facts = file_facts(temporary);
    if (!facts) return Error{Errc::io, fmt::format("{}: was not written", printable(output.native()))};
    auto hash = hash_file(temporary, progress);
    if (!hash) return hash.error();
    files.push_back({encode_path(output.filename()), encode_path(temporary.filename()), *facts, *std::move(hash)});
  }
  return files;
}

/// Writes a record as an unnamed file and links it to the name `path`, so that a kill at any point leaves no partial
/// file. Adds the time in fsync to `sync_s`.
Status write_record_file(const Record& record, const fs::path& path, double& sync_s) {
  if (auto removed = remove_file(path); !removed) return removed;  // linking does not replace a file
  auto file = AtomicFile::create(path, /*overwrite=*/false);
  if (!file) return file.error();
  if (auto written = file->write(to_text(record)); !written) return written;
  const Stopwatch watch{sync_s};
  return file->commit();
}

/// Renames the temporary files to the outputs and syncs their folders. Adds the time in fsync to `sync_s`.
Status rename_outputs(const Item& item, bool replace, double& sync_s) {
  std::set<fs::path> folders;
  for (const fs::path& output : item.outputs) {
    if (auto renamed = rename_file(temporary_path(item, output), output, replace); !renamed) return renamed;
    folders.insert(output.parent_path());
  }
  const Stopwatch watch{sync_s};
  for (const fs::path& folder : folders) {
    if (auto synced = sync_folder(folder); !synced) return synced;
  }
  return ok();
}

/// Renames the intent record to the done record, and removes the record of an earlier failure.
Status complete(const RecordPaths& paths) {
  if (auto renamed = rename_file(paths.intent, paths.done, /*replace=*/true); !renamed) return renamed;
  return remove_file(paths.failed);
}

/// Does the steps of publish(). After an error, temporary files may be left.
Status publish_steps(const Item& item, Record& record, const RecordPaths& paths, bool replace,
                     const std::function<void()>& progress, double& sync_s) {
  auto outputs = describe_outputs(item, progress);
  if (!outputs) return outputs.error();
  record.outputs = *std::move(outputs);
  if (auto written = write_record_file(record, paths.intent, sync_s); !written) return written;
  if (auto renamed = rename_outputs(item, replace, sync_s); !renamed) {
    // After another error the outputs may have their final names already; the next run then completes the steps with
    // the intent record (finish_intent()).
    if (renamed.error().code == Errc::exists) (void)remove_file(paths.intent);
    return renamed;
  }
  return complete(paths);
}

/// Returns true if the file at `path` has the size and the hash in `file`.
bool has_recorded_contents(const fs::path& path, const RecordedFile& file) {
  const auto facts = file_facts(path);
  if (!facts || facts->size != file.facts.size) return false;
  const auto hash = hash_file(path);
  return hash && *hash == file.hash;
}

/// Returns true if the output does not exist, or if the done record shows that weir made the existing file. `index`:
/// index of the output in the item and in the record.
bool may_replace(const fs::path& output, std::size_t index, const RecordPaths& paths) {
  std::error_code ignored;
  if (!fs::exists(fs::symlink_status(output, ignored))) return true;
  const auto done = read_record(paths.done);
  return done && *done && index < (*done)->outputs.size() && has_recorded_contents(output, (*done)->outputs[index]);
}

/// Does the remaining steps of publish(). Returns false if a file is missing or differs from the intent record, if an
/// existing output must not be replaced, or if a step fails.
bool finish_outputs(const Item& item, const Record& intent, const RecordPaths& paths) {
  if (intent.outputs.size() != item.outputs.size()) return false;
  for (std::size_t i = 0; i < item.outputs.size(); ++i) {
    const fs::path& output = item.outputs[i];
    if (has_recorded_contents(output, intent.outputs[i])) continue;
    const fs::path temporary = temporary_path(item, output);
    if (!has_recorded_contents(temporary, intent.outputs[i]) || !may_replace(output, i, paths)) return false;
    if (!rename_file(temporary, output, /*replace=*/true)) return false;
  }
  for (const fs::path& output : item.outputs) {
    if (!sync_folder(output.parent_path())) return false;
  }
  return static_cast<bool>(complete(paths));
}

}  // namespace

Result<PublishTimes> publish(const Item& item, Record record, const RecordPaths& paths, bool replace,
                             const std::function<void()>& progress) {
  PublishTimes times;
  auto published = publish_steps(item, record, paths, replace, progress, times.sync_s);
  if (published) return times;
  remove_temporaries(item);
  return published.error();
}

Result<PublishTimes> publish_without_records(const Item& item, bool replace) {
  PublishTimes times;
  auto renamed = rename_outputs(item, replace, times.sync_s);
  if (renamed) return times;
  remove_temporaries(item);
  return renamed.error();
}

Status write_failure(const Record& record, const RecordPaths& paths) {
  std::error_code ignored;
  if (paths.failed.has_parent_path()) fs::create_directories(paths.failed.parent_path(), ignored);
  double unused = 0;
  return write_record_file(record, paths.failed, unused);
}

bool finish_intent(const Item& item, const RecordPaths& paths) {
  std::error_code ignored;
  bool finished = false;
  if (fs::exists(paths.intent, ignored)) {
    const auto intent = read_record(paths.intent);
    finished = intent && *intent && finish_outputs(item, **intent, paths);
    if (!finished) (void)remove_file(paths.intent);
  }
  if (!finished) remove_temporaries(item);
  return finished;
}

void remove_temporaries(const Item& item) {
  for (const fs::path& temporary : temporary_paths(item)) {
    (void)remove_file(temporary);
    AtomicFile::remove_leftover(temporary);
  }
}

}  // namespace weir::jobs
