#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_facts.hpp"
#include "base/result.hpp"
#include "jobs/item.hpp"
#include "jobs/task.hpp"

namespace weir::jobs {

/// A file as a record knows it.
struct RecordedFile {
  std::string path;       ///< as encode_path() writes it; of an output the name alone
  std::string temporary;  ///< of an output: the name under which it was written
  FileFacts facts;
  std::string hash;  ///< XXH3-128
};

/// What is known of an item that was finished (`.done`), is about to be (`.intent`) or failed for good (`.failed`).
/// docs/checkpoints.md describes the JSON.
struct Record {
  std::string task;
  std::vector<RecordedFile> inputs, outputs;
  Json parameters = Json::object();
  Json identity = Json::object();
  Json facts = Json::object();
  std::size_t variant = 0;
  std::string variant_name;
  ComputeConfig compute_config;
  std::string device;
  std::uint64_t seed = 0;
  std::map<std::string, double> stage_seconds;
  std::string finished_at;            ///< UTC, "2026-11-21T14:30:00Z"
  std::string weir_version;           ///< of weir
  std::string damage;                 ///< of an input, and made up for: "the last 20 of 72 rows ..."; empty: nothing
  bool allows_damaged_input = false;  ///< a damaged input was to be used as far as it is there
  std::optional<Error> failure;       ///< of a `.failed` record
  /// Another version of weir wrote it, in a format of which the task and the files are all that is trusted: says so. Empty: not.
  std::string other_format_message;
};

inline constexpr std::size_t kMaxRecordBytes = std::size_t{1} << 20;

std::string to_text(const Record& record);  ///< one JSON object and a newline
/// Errors: corrupt for anything that is not whole, in any format.
Result<Record> parse_record(std::string_view text);
/// Empty if there is no such file. Errors: those of parse_record; io.
Result<std::optional<Record>> read_record(const std::filesystem::path& path);

/// Where the records and the temporary files of an item lie: hidden, beside its first output or in a folder of their own.
/// Names of more than 255 bytes are cut and hashed.
struct RecordPaths {
  std::filesystem::path done, intent, failed;
};
RecordPaths record_paths(const Item& item,
                         const std::filesystem::path& folder);  ///< `folder` empty: beside the output
/// In the output's own folder, so that it can be renamed.
std::filesystem::path temporary_path(const Item& item, const std::filesystem::path& output);
std::vector<std::filesystem::path> temporary_paths(const Item& item);

/// True for the names of records and temporary files, which are no user's files.
bool is_record_name(std::string_view name);

}  // namespace weir::jobs
