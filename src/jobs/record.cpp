#include "jobs/record.hpp"

#include <array>

#include <fmt/format.h>

#include "base/paths.hpp"
#include "base/text.hpp"

namespace weir::jobs {
namespace {

constexpr std::uint64_t kFormat = 2;       // the format that this version writes
constexpr std::uint64_t kFirstFormat = 1;  // format 1 has the same content as format 2 under other key names
// The endings of the file names of records and temporary files.
constexpr std::array<std::string_view, 4> kEndings{".done", ".intent", ".failed", ".tmp"};

Json files_json(const std::vector<RecordedFile>& files) {
  Json json = Json::array();
  for (const RecordedFile& file : files) {
    Json one{
        {"path", file.path}, {"size", file.facts.size}, {"mtime_ns", file.facts.mtime_ns}, {"xxh3_128", file.hash}};
    if (!file.temporary.empty()) one["temporary"] = file.temporary;
    json.push_back(std::move(one));
  }
  return json;
}

/// Reads the descriptions of files that files_json() wrote. Returns false if one is not valid.
bool read_files(const Json& object, const char* key, std::vector<RecordedFile>& files) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_array()) return false;
  for (const Json& one : *found) {
    if (!one.is_object() || !one.contains("mtime_ns") || !one["mtime_ns"].is_number_integer() ||
        !one.contains("size") || !one["size"].is_number_unsigned())
      return false;
    files.push_back({text_field(one, "path"),
                     text_field(one, "temporary"),
                     {one["size"].get<std::uint64_t>(), one["mtime_ns"].get<std::int64_t>()},
                     text_field(one, "xxh3_128")});
  }
  return true;
}

void rename_key(Json& object, const char* from, const char* to) {
  const auto found = object.find(from);
  if (found == object.end()) return;
  Json value = std::move(*found);
  object.erase(found);
  object[to] = std::move(value);
}

// <!-- retired words from here -->
/// Renames the keys of a record of format 1 to those of the current format.
void rename_first_format_keys(Json& json) {
  rename_key(json, "rung", "variant");
  rename_key(json, "pixels", "compute_config");
  rename_key(json, "takes_damaged", "allows_damaged_input");
  // The parameters of a command of weir run.
  if (const auto parameters = json.find("parameters"); parameters != json.end() && parameters->is_object())
    rename_key(*parameters, "ladder", "variants");
}
// <!-- to here -->

std::filesystem::path path_beside(const std::filesystem::path& output, const std::string& ending) {
  return output.parent_path() / fit_file_name('.' + output.filename().native(), ending);
}

/// A records folder contains records of outputs in many folders, so the name contains the first 64 bits (16 hexadecimal
/// digits) of a hash of the output's whole path.
std::filesystem::path path_inside(const std::filesystem::path& folder, const std::filesystem::path& output,
                                  const std::string& ending) {
  const std::string path_hash = hash_text(file_identity(output)).substr(0, 16);
  return folder / fit_file_name(output.filename().native(), fmt::format(".{}{}", path_hash, ending));
}

}  // namespace

std::string to_text(const Record& record) {
  Json json{{"format", kFormat},
            {"task", record.task},
            {"inputs", files_json(record.inputs)},
            {"outputs", files_json(record.outputs)},
            {"parameters", record.parameters},
            {"identity", record.identity},
            {"facts", record.facts},
            {"variant", {{"number", record.variant}, {"name", record.variant_name}}},
            {"compute_config", to_json(record.compute_config)},
            {"device", record.device},
            {"seed", record.seed},
            {"seconds", record.stage_seconds},
            {"finished", record.finished_at},
            {"weir", record.weir_version}};
  if (!record.damage.empty()) json["damaged"] = record.damage;
  if (record.failure && record.allows_damaged_input) json["allows_damaged_input"] = true;
  if (record.failure) json["failure"] = to_json(*record.failure);
  return dump(json) + '\n';
}

Result<Record> parse_record(std::string_view text) {
  if (text.empty() || text.back() != '\n') return Error{Errc::corrupt, "the record is cut off"};
  auto parsed = parse_object(text);
  if (!parsed) return parsed.error();
  Json& json = *parsed;
  const auto format = count_field(json, "format");
  if (format == 0) return Error{Errc::corrupt, "the record lacks its format"};
  Record record;
  if (format == kFirstFormat)
    rename_first_format_keys(json);
  else if (format != kFormat)
    record.other_format_message = fmt::format("its checkpoint has format {}; this weir writes {}", format, kFormat);
  record.task = text_field(json, "task");
  if (record.task.empty() || !read_files(json, "inputs", record.inputs) || !read_files(json, "outputs", record.outputs))
    return Error{Errc::corrupt, "the record lacks its task or its files"};
  record.parameters = object_field(json, "parameters");
  record.identity = object_field(json, "identity");
  record.facts = object_field(json, "facts");
  const Json variant = object_field(json, "variant");
  record.variant = count_field(variant, "number");
  record.variant_name = text_field(variant, "name");
  record.compute_config = compute_config_from_json(object_field(json, "compute_config"));
  record.device = text_field(json, "device");
  record.seed = count_field(json, "seed");
  const Json stages = object_field(json, "seconds");
  for (const auto& [stage, seconds] : stages.items()) {
    if (seconds.is_number()) record.stage_seconds[stage] = seconds.get<double>();
  }
  record.finished_at = text_field(json, "finished");
  record.weir_version = text_field(json, "weir");
  record.damage = text_field(json, "damaged");
  record.allows_damaged_input = bool_field(json, "allows_damaged_input");
  if (json.contains("failure")) record.failure = error_from_json(json["failure"]);
  return record;
}

Result<std::optional<Record>> read_record(const std::filesystem::path& path) {
  auto text = read_bounded_file(path, kMaxRecordBytes);
  if (!text) return text.error();
  if (!*text) return std::optional<Record>{};
  auto record = parse_record(**text);
  if (!record) return record.error();
  return std::optional{*std::move(record)};
}

RecordPaths record_paths(const Item& item, const std::filesystem::path& folder) {
  const std::filesystem::path& output = item.outputs.front();
  const auto make_path = [&](const char* kind) {
    const std::string ending = fmt::format(".{}.{}", item.task, kind);
    return folder.empty() ? path_beside(output, ending) : path_inside(folder, output, ending);
  };
  return {make_path("done"), make_path("intent"), make_path("failed")};
}

std::filesystem::path temporary_path(const Item& item, const std::filesystem::path& output) {
  return path_beside(output, fmt::format(".{}.tmp", item.task));
}

std::vector<std::filesystem::path> temporary_paths(const Item& item) {
  std::vector<std::filesystem::path> paths;
  for (const auto& output : item.outputs) paths.push_back(temporary_path(item, output));
  return paths;
}

bool is_record_name(std::string_view name) {
  if (!name.starts_with('.')) return false;
  for (const std::string_view ending : kEndings) {
    if (name.ends_with(ending)) return true;
  }
  return false;
}

}  // namespace weir::jobs
