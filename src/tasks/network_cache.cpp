#include "tasks/network_cache.hpp"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "base/text.hpp"

namespace weir::tasks {
namespace {

Error no_network_error(const NetworkOptions& options) {
  if (!options.model.empty())
    return {Errc::unsupported, fmt::format("no network in {}; a network is a file X.param with X.bin beside it",
                                           printable(options.model.native()))};
  std::string places;
  for (const auto& folder : options.folders) places += (places.empty() ? "" : ", ") + printable(folder.native());
  return {Errc::unsupported, fmt::format("no network found in {}; give --model FILE or FOLDER", places)};
}

Error no_readable_network_error(const std::vector<nn::CatalogueEntry>& entries) {
  const std::string further_entries =
      entries.size() == 1 ? "" : fmt::format(" (and {} more that cannot be read)", entries.size() - 1);
  return {Errc::unsupported, entries.front().unreadable_reason + further_entries};
}

}  // namespace

Result<NetworkCache> NetworkCache::open(NetworkOptions options) {
  const auto model = options.model.empty() ? std::nullopt : std::optional{options.model};
  auto entries = nn::find_networks(model, options.folders);
  if (!entries) return entries.error();
  if (entries->empty()) return no_network_error(options);
  if (std::all_of(entries->begin(), entries->end(), [](const auto& entry) { return !entry.unreadable_reason.empty(); }))
    return no_readable_network_error(*entries);
  NetworkCache cache{*std::move(entries),
                     {.name = std::move(options.name), .scale = std::nullopt, .noise = options.noise}};
  // Checks the name and the noise level before any work; 0: no scale is requested.
  if (auto selected = cache.select(0); !selected) return selected.error();
  return cache;
}

Result<nn::CatalogueEntry> NetworkCache::select(double scale) const {
  return scale > 0 ? nn::select_for_enlargement(entries_, request_, scale) : nn::select_network(entries_, request_);
}

Result<NetworkCache> NetworkCache::open_variant(const NetworkOptions& first_choice, const std::string& name) {
  NetworkOptions options = first_choice;
  options.name = name;
  auto found = open(options);
  if (found) return found;
  if (!first_choice.model.empty()) {
    std::error_code ignored;
    if (!std::filesystem::is_directory(first_choice.model, ignored)) {
      options.model = std::filesystem::absolute(first_choice.model, ignored).parent_path();
      if (auto beside = open(options); beside) return beside;
    }
    options.model.clear();
    if (auto elsewhere = open(options); elsewhere) return elsewhere;
  }
  return Error{found.error().code, "--variants: " + found.error().what};
}

Result<std::shared_ptr<const nn::Network>> NetworkCache::load(double scale) {
  const auto entry = select(scale);
  if (!entry) return entry.error();
  if (loaded_ && loaded_path_ == entry->param_path) return loaded_;
  auto network = nn::load_network(entry->param_path);
  if (!network) return network.error();
  loaded_ = std::make_shared<const nn::Network>(*std::move(network));
  loaded_path_ = entry->param_path;
  return loaded_;
}

Result<std::vector<NetworkVariant>> open_variants(const NetworkOptions& first_choice,
                                                  const std::vector<std::string>& names) {
  std::vector<NetworkVariant> variants;
  auto first = NetworkCache::open(first_choice);
  if (!first) return first.error();
  variants.push_back({"first choice", *std::move(first)});
  for (const std::string& name : names) {
    auto cache = NetworkCache::open_variant(first_choice, name);
    if (!cache) return cache.error();
    variants.push_back({name, *std::move(cache)});
  }
  return variants;
}

}  // namespace weir::tasks
