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

/// A file as described in a record.
struct RecordedFile {
  std::string path;       ///< encode_path() of the input's absolute path, or of the output's file name
  std::string temporary;  ///< encode_path() of an output's temporary file name; empty for an input
  FileFacts facts;        ///< size and mtime
  std::string hash;       ///< XXH3-128 of the content
};

/// The record (checkpoint) of an item, a small JSON file. It exists under one of three names: `.done` for a finished
/// item, `.intent` while its outputs are being published, `.failed` after a persistent failure (FailureKind).
/// docs/checkpoints.md describes the JSON. Fields without a comment are those of Item and AttemptResult.
struct Record {
  std::string task;
  std::vector<RecordedFile> inputs, outputs;
  Json parameters = Json::object();
  Json identity = Json::object();
  Json facts = Json::object();
  std::size_t variant = 0;   ///< index in Task::variants()
  std::string variant_name;  ///< name of this variant
  ComputeConfig compute_config;
  std::string device;      ///< ExecutionOptions::device
  std::uint64_t seed = 0;  ///< seed_of(item)
  std::map<std::string, double> stage_seconds;
  std::string finished_at;   ///< UTC, "2026-11-21T14:30:00Z"
  std::string weir_version;  ///< version of weir that wrote it
  /// The part of an input that was missing and was filled in: "the last 20 of 72 rows ..."; empty: none.
  std::string damage;
  bool allows_damaged_input = false;  ///< the run allowed the use of the intact part of a damaged input
  std::optional<Error> failure;       ///< the error of a `.failed` record
  /// Message for the user that another version of weir wrote the record in another format. Only the fields `task`,
  /// `inputs` and `outputs` may then be used. Empty: this version of weir reads the format.
  std::string other_format_message;
};

/// The largest size of a record; a longer file is corrupt.
inline constexpr std::size_t kMaxRecordBytes = std::size_t{1} << 20;

/// Returns the record as one JSON object and a newline.
std::string to_text(const Record& record);
/// Parses the text of a record. Errors: corrupt if the text is cut off, is no JSON object, or lacks format, task or
/// files.
Result<Record> parse_record(std::string_view text);
/// Reads a record; returns an empty value if the file does not exist. Errors: io; corrupt.
Result<std::optional<Record>> read_record(const std::filesystem::path& path);

/// The paths of an item's records: hidden files beside its first output, or files in a separate folder. Names longer
/// than 255 bytes are shortened with a hash.
struct RecordPaths {
  std::filesystem::path done, intent, failed;
};
/// Returns the paths of the item's records in `folder`; if `folder` is empty, beside the first output.
RecordPaths record_paths(const Item& item, const std::filesystem::path& folder);
/// Returns the path of the temporary file of an output: in the output's folder, so that it can be renamed.
std::filesystem::path temporary_path(const Item& item, const std::filesystem::path& output);
/// Returns the temporary paths of all outputs, in the order of item.outputs.
std::vector<std::filesystem::path> temporary_paths(const Item& item);

/// Returns true if the file name has the form of a record or a temporary file, which weir writes and the user does not.
bool is_record_name(std::string_view name);

}  // namespace weir::jobs
