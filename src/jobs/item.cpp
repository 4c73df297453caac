#include "jobs/item.hpp"

#include <xxhash.h>

#include "base/text.hpp"

namespace weir::jobs {
namespace {

Json paths_json(const std::vector<std::filesystem::path>& paths) {
  Json json = Json::array();
  for (const auto& path : paths) json.push_back(encode_path(path));
  return json;
}

/// Returns false if the field is not an array of texts.
bool read_paths(const Json& object, const char* key, std::vector<std::filesystem::path>& paths) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_array()) return false;
  for (const Json& path : *found) {
    if (!path.is_string()) return false;
    paths.push_back(decode_path(path.get_ref<const std::string&>()));
  }
  return true;
}

}  // namespace

std::string display_name(const Item& item) {
  if (!item.name.empty()) return printable(item.name);
  return printable((item.inputs.empty() ? item.outputs : item.inputs).front().native());
}

Json to_json(const Item& item) {
  return {{"task", item.task},
          {"inputs", paths_json(item.inputs)},
          {"outputs", paths_json(item.outputs)},
          {"parameters", item.parameters}};
}

Result<Item> item_from_json(const Json& json) {
  Item item;
  item.task = text_field(json, "task");
  item.parameters = text_field(json, "parameters");
  if (item.task.empty() || !read_paths(json, "inputs", item.inputs) || !read_paths(json, "outputs", item.outputs) ||
      item.outputs.empty())
    return Error{Errc::corrupt, "no item"};
  return item;
}

std::uint64_t seed_of(const Item& item) {
  const std::string name = item.task + '/' + item.outputs.front().filename().native();
  return XXH3_64bits(name.data(), name.size());
}

}  // namespace weir::jobs
