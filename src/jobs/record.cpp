#include "jobs/record.hpp"

#include <array>

#include <fmt/format.h>

#include "base/paths.hpp"
#include "base/text.hpp"

namespace weir::jobs {
namespace {

constexpr std::uint64_t kFormat = 1;
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

std::filesystem::path beside(const std::filesystem::path& output, const std::string& ending) {
  return output.parent_path() / fit_name('.' + output.filename().native(), ending);
}

/// In a folder for the records of many folders, the whole path tells two outputs of one name apart.
std::filesystem::path inside(const std::filesystem::path& folder, const std::filesystem::path& output,
                             const std::string& ending) {
  const std::string where = hash_text(identity(output)).substr(0, 16);
  return folder / fit_name(output.filename().native(), fmt::format(".{}{}", where, ending));
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
            {"pixels", to_json(record.pixels)},
            {"device", record.device},
            {"seed", record.seed},
            {"seconds", record.seconds},
            {"finished", record.finished},
            {"weir", record.version}};
  if (!record.damaged.empty()) json["damaged"] = record.damaged;
  if (record.failure && record.takes_damaged) json["takes_damaged"] = true;
  if (record.failure) json["failure"] = to_json(*record.failure);
  return dump(json) + '\n';
}

Result<Record> parse_record(std::string_view text) {
  if (text.empty() || text.back() != '\n') return Error{Errc::corrupt, "the record is cut off"};
  const auto parsed = parse_object(text);
  if (!parsed) return parsed.error();
  const Json& json = *parsed;
  const auto format = count_field(json, "format");
  if (format == 0) return Error{Errc::corrupt, "the record lacks its format"};
  Record record;
  if (format != kFormat)
    record.other_format = fmt::format("its checkpoint has format {}; this weir writes {}", format, kFormat);
  record.task = text_field(json, "task");
  if (record.task.empty() || !read_files(json, "inputs", record.inputs) || !read_files(json, "outputs", record.outputs))
    return Error{Errc::corrupt, "the record lacks its task or its files"};
  record.parameters = object_field(json, "parameters");
  record.identity = object_field(json, "identity");
  record.facts = object_field(json, "facts");
  const Json variant = object_field(json, "variant");
  record.variant = count_field(variant, "number");
  record.variant_name = text_field(variant, "name");
  record.pixels = pixels_of(object_field(json, "pixels"));
  record.device = text_field(json, "device");
  record.seed = count_field(json, "seed");
  const Json stages = object_field(json, "seconds");
  for (const auto& [stage, seconds] : stages.items()) {
    if (seconds.is_number()) record.seconds[stage] = seconds.get<double>();
  }
  record.finished = text_field(json, "finished");
  record.version = text_field(json, "weir");
  record.damaged = text_field(json, "damaged");
  record.takes_damaged = bool_field(json, "takes_damaged");
  if (json.contains("failure")) record.failure = error_of(json["failure"]);
  return record;
}

Result<std::optional<Record>> read_record(const std::filesystem::path& path) {
  auto text = read_bounded(path, kLongestRecord);
  if (!text) return text.error();
  if (!*text) return std::optional<Record>{};
  auto record = parse_record(**text);
  if (!record) return record.error();
  return std::optional{*std::move(record)};
}

RecordPlaces record_places(const Item& item, const std::filesystem::path& folder) {
  const std::filesystem::path& output = item.outputs.front();
  const auto place = [&](const char* kind) {
    const std::string ending = fmt::format(".{}.{}", item.task, kind);
    return folder.empty() ? beside(output, ending) : inside(folder, output, ending);
  };
  return {place("done"), place("intent"), place("failed")};
}

std::filesystem::path temporary_of(const Item& item, const std::filesystem::path& output) {
  return beside(output, fmt::format(".{}.tmp", item.task));
}

std::vector<std::filesystem::path> temporaries_of(const Item& item) {
  std::vector<std::filesystem::path> paths;
  for (const auto& output : item.outputs) paths.push_back(temporary_of(item, output));
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
