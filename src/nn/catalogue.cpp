#include "nn/catalogue.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <system_error>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "base/text.hpp"
#include "nn/network_names.hpp"

namespace weir::nn {

namespace fs = std::filesystem;

namespace {

constexpr int kMaxDepth = 4;              // levels of folders below a searched folder
constexpr std::size_t kMaxFiles = 20000;  // largest number of files and folders inspected below a searched folder
constexpr std::size_t kMaxListed = 20;    // largest number of networks in a message
/// The folders of Real-CUGAN's networks, the preferred one first; see select_network().
constexpr std::array<std::string_view, 3> kFolderOrder{"models-se", "models-pro", "models-nose"};

/// Reads a network without its weights and returns its entry.
CatalogueEntry describe_entry(const fs::path& param_path) {
  CatalogueEntry entry;
  entry.param_path = param_path;
  entry.name = param_path.stem().string();
  std::error_code code;
  const fs::path absolute_path = fs::absolute(param_path, code);
  entry.folder = (code ? param_path : absolute_path).parent_path().filename().string();
  entry.noise = parse_noise_level(entry.name);
  entry.scale_in_name = parse_scale(entry.name);
  const auto network = read_network_structure(param_path);
  if (!network) {
    entry.unreadable_reason = network.error().what;
    return entry;
  }
  entry.family = network->family;
  entry.layers = network->graph.layers.size();
  entry.parameters = network->parameters;
  entry.multiplications_per_pixel = network->multiplications_per_pixel;
  return entry;
}

/// Searches a folder for .param files, within limits of depth and number of files.
class FolderSearch {
 public:
  /// Returns the .param files below `folder`, sorted; ignores errors of single folders.
  std::vector<fs::path> find(const fs::path& folder) {
    file_count_ = 0;
    found_.clear();
    search(folder, 0);
    std::sort(found_.begin(), found_.end());
    return std::exchange(found_, {});
  }
  [[nodiscard]] bool reached_limit() const { return file_count_ > kMaxFiles; }

 private:
  void search(const fs::path& folder, int depth) {
    std::error_code code;
    for (fs::directory_iterator at{folder, fs::directory_options::skip_permission_denied, code}, end;
         !code && at != end; at.increment(code)) {
      if (++file_count_ > kMaxFiles) return;
      std::error_code ignored;
      if (at->is_directory(ignored)) {
        if (depth < kMaxDepth) search(at->path(), depth + 1);
      } else if (at->path().extension() == ".param") {
        found_.push_back(at->path());
      }
    }
  }

  std::vector<fs::path> found_;
  std::size_t file_count_ = 0;
};

/// Adds the networks of one folder to `entries`, except those whose path is in `known`; adds their paths to `known`. If
/// the folder has too many files, adds an unreadable entry that reports this.
void add_folder(const fs::path& folder, std::set<fs::path>& known, std::vector<CatalogueEntry>& entries) {
  FolderSearch search;
  for (const fs::path& param_path : search.find(folder)) {
    std::error_code code;
    const fs::path canonical_path = fs::weakly_canonical(param_path, code);
    if (known.insert(code ? param_path : canonical_path).second) entries.push_back(describe_entry(param_path));
  }
  if (!search.reached_limit()) return;
  CatalogueEntry entry;
  entry.param_path = folder;
  entry.name = entry.folder = folder.filename().string();
  entry.unreadable_reason = fmt::format("{}: more than {} files: searched no further", folder.string(), kMaxFiles);
  entries.push_back(std::move(entry));
}

/// `model` is X.param, X.bin or X. Returns X.param; nothing if the file that `model` names does not exist (for X:
/// X.param).
std::optional<fs::path> find_param(const fs::path& model) {
  std::error_code code;
  if (model.extension() == ".param" && fs::exists(model, code)) return model;
  if (model.extension() == ".bin" && fs::exists(model, code)) return fs::path{model}.replace_extension(".param");
  fs::path with_ending = model;
  with_ending += ".param";
  return fs::exists(with_ending, code) ? std::optional{with_ending} : std::nullopt;
}

std::string long_name(const CatalogueEntry& entry) { return entry.folder + "/" + entry.name; }

constexpr int kNoMatch = 3;  // the largest result of name_distance()

/// Returns how well `name` matches an entry: 0: it is empty, or the network's name or "folder/name"; 1: the folder's
/// name; 2: a part of "folder/name"; kNoMatch.
int name_distance(const CatalogueEntry& entry, const std::string& name) {
  if (name.empty()) return 0;
  const std::string lowered = lower_case(name), full = lower_case(long_name(entry));
  if (lowered == lower_case(entry.name) || lowered == full) return 0;
  if (lowered == lower_case(entry.folder)) return 1;
  return full.find(lowered) != std::string::npos ? 2 : kNoMatch;
}

using Candidates = std::vector<const CatalogueEntry*>;

/// Returns the entries that match the name best, readable or not.
Candidates find_name_matches(std::span<const CatalogueEntry> entries, const std::string& name) {
  int best = kNoMatch;
  for (const CatalogueEntry& entry : entries) best = std::min(best, name_distance(entry, name));
  Candidates candidates;
  for (const CatalogueEntry& entry : entries) {
    if (best < kNoMatch && name_distance(entry, name) == best) candidates.push_back(&entry);
  }
  return candidates;
}

/// Returns the readable networks for a message, at most kMaxListed.
std::string list_networks(std::span<const CatalogueEntry> entries) {
  std::string text;
  std::size_t count = 0;
  for (const CatalogueEntry& entry : entries) {
    if (!entry.unreadable_reason.empty() || ++count > kMaxListed) continue;
    text += (text.empty() ? "" : ", ") + format_network_label(long_name(entry), entry.family.scale, entry.noise);
  }
  if (count == 0) return "there is no readable network";
  return fmt::format("there is: {}{}", text, count > kMaxListed ? fmt::format(" and {} more", count - kMaxListed) : "");
}

std::string describe_request(const NetworkRequest& request) {
  std::string text = "no network";
  if (!request.name.empty()) text += fmt::format(" named '{}'", request.name);
  if (request.scale) text += fmt::format(" that enlarges {} times", *request.scale);
  if (request.noise) text += fmt::format(" with noise level {}", *request.noise);
  return text;
}

/// Returns true if the network is unreadable, and its name (with the scale and noise level in it) matches a request
/// that is not empty.
bool is_unreadable_match(const CatalogueEntry& entry, const NetworkRequest& request) {
  if (entry.unreadable_reason.empty()) return false;
  if (!request.name.empty() && name_distance(entry, request.name) == 0) return true;
  if (!request.scale && !request.noise) return false;
  return name_distance(entry, request.name) < kNoMatch && (!request.noise || entry.noise == request.noise) &&
         (!request.scale || entry.scale_in_name == request.scale);
}

Error no_match_error(std::span<const CatalogueEntry> entries, const NetworkRequest& request) {
  const auto unreadable = std::find_if(
      entries.begin(), entries.end(), [&](const CatalogueEntry& entry) { return is_unreadable_match(entry, request); });
  if (unreadable != entries.end())
    return {Errc::invalid_argument,
            fmt::format("network '{}' is unreadable: {}", long_name(*unreadable), unreadable->unreadable_reason)};
  return {Errc::invalid_argument, fmt::format("{}; {}", describe_request(request), list_networks(entries))};
}

/// Returns the sort key of select_network. The network with the smallest key is selected.
auto preference(const CatalogueEntry& entry) {
  const auto* folder = std::find(kFolderOrder.begin(), kFolderOrder.end(), entry.folder);
  return std::tuple{entry.family.scale == 1, entry.multiplications_per_pixel, entry.noise.value_or(-1),
                    folder - kFolderOrder.begin()};
}

/// Returns the readable networks that match the request's name and noise level.
Candidates find_matches(std::span<const CatalogueEntry> entries, const NetworkRequest& request) {
  Candidates candidates = find_name_matches(entries, request.name);
  std::erase_if(candidates, [&](const CatalogueEntry* entry) {
    return !entry->unreadable_reason.empty() || (request.noise && entry->noise != request.noise);
  });
  return candidates;
}

}  // namespace

std::vector<fs::path> model_folders(std::string_view weir_models, const fs::path& home, const fs::path& prefix) {
  std::vector<fs::path> folders;
  while (!weir_models.empty()) {
    const std::size_t colon = std::min(weir_models.find(':'), weir_models.size());
    if (colon > 0) folders.emplace_back(weir_models.substr(0, colon));
    weir_models.remove_prefix(std::min(colon + 1, weir_models.size()));
  }
  if (!home.empty()) folders.push_back(home / ".local/share/weir/models");
  if (!prefix.empty()) folders.push_back(prefix / "share/weir/models");
  return folders;
}

Result<std::vector<CatalogueEntry>> find_networks(const std::optional<fs::path>& model,
                                                  std::span<const fs::path> folders) {
  std::vector<CatalogueEntry> entries;
  std::set<fs::path> known;
  if (!model) {
    for (const fs::path& folder : folders) add_folder(folder, known, entries);
    return entries;
  }
  std::error_code code;
  if (fs::is_directory(*model, code)) {
    const fs::directory_iterator listing{*model, code};  // only for its error: add_folder() ignores errors
    if (code)
      return Error{Errc::invalid_argument,
                   fmt::format("model {}: cannot list the folder: {}", model->string(), code.message())};
    add_folder(*model, known, entries);
    return entries;
  }
  const auto param_path = find_param(*model);
  if (!param_path && !fs::exists(*model, code)) {
    return Error{Errc::invalid_argument,
                 fmt::format("model {}: no such file or folder; give a folder, or a .param with its .bin beside it",
                             model->string())};
  }
  if (!param_path) {
    return Error{Errc::invalid_argument,
                 fmt::format("model {}: neither a folder nor a network (a pair of .param and .bin)", model->string())};
  }
  entries.push_back(describe_entry(*param_path));
  return entries;
}

std::string format_network_label(const std::string& name, int scale, std::optional<int> noise) {
  return noise ? fmt::format("{} ({}x, noise {})", name, scale, *noise) : fmt::format("{} ({}x)", name, scale);
}

Result<CatalogueEntry> select_network(std::span<const CatalogueEntry> entries, const NetworkRequest& request) {
  Candidates candidates = find_matches(entries, request);
  if (request.scale) {
    std::erase_if(candidates, [&](const CatalogueEntry* entry) { return entry->family.scale != *request.scale; });
  }
  if (candidates.empty()) return no_match_error(entries, request);
  const auto precedes = [](const CatalogueEntry* a, const CatalogueEntry* b) {
    return preference(*a) < preference(*b);
  };
  return **std::min_element(candidates.begin(), candidates.end(), precedes);
}

Result<CatalogueEntry> select_for_enlargement(std::span<const CatalogueEntry> entries, NetworkRequest request,
                                              double enlargement) {
  request.scale.reset();
  std::set<int> scales;
  for (const CatalogueEntry* entry : find_matches(entries, request)) scales.insert(entry->family.scale);
  if (scales.empty()) return no_match_error(entries, request);
  const auto large_enough = std::find_if(scales.begin(), scales.end(), [&](int scale) { return scale >= enlargement; });
  request.scale = large_enough != scales.end() ? *large_enough : *scales.rbegin();
  return select_network(entries, request);
}

}  // namespace weir::nn
