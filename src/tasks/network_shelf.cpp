#include "tasks/network_shelf.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/text.hpp"

namespace weir::tasks {
namespace {

Error nothing_found(const NetworkWish& wish) {
  if (!wish.model.empty())
    return {Errc::unsupported,
            fmt::format("no network in {}; it takes X.param with X.bin beside it", printable(wish.model.native()))};
  std::string places;
  for (const auto& folder : wish.folders) places += (places.empty() ? "" : ", ") + printable(folder.native());
  return {Errc::unsupported, fmt::format("no network found in {}; give --model FILE or FOLDER", places)};
}

Error nothing_readable(const std::vector<nn::CatalogueEntry>& entries) {
  const std::string others =
      entries.size() == 1 ? "" : fmt::format(" (and {} more that cannot be read)", entries.size() - 1);
  return {Errc::unsupported, entries.front().unreadable + others};
}

}  // namespace

Result<NetworkShelf> NetworkShelf::open(NetworkWish wish) {
  const auto model = wish.model.empty() ? std::nullopt : std::optional{wish.model};
  auto entries = nn::find_networks(model, wish.folders);
  if (!entries) return entries.error();
  if (entries->empty()) return nothing_found(wish);
  if (std::all_of(entries->begin(), entries->end(), [](const auto& entry) { return !entry.unreadable.empty(); }))
    return nothing_readable(*entries);
  NetworkShelf shelf{*std::move(entries), {.name = std::move(wish.name), .scale = std::nullopt, .noise = wish.noise}};
  if (auto any = shelf.select(0); !any) return any.error();  // name and noise are known to fit before any work
  return shelf;
}

Result<nn::CatalogueEntry> NetworkShelf::select(double scale) const {
  return scale > 0 ? nn::select_for_enlargement(entries_, request_, scale) : nn::select_network(entries_, request_);
}

Result<std::shared_ptr<const nn::Network>> NetworkShelf::get(double scale) {
  const auto entry = select(scale);
  if (!entry) return entry.error();
  if (kept_ && kept_path_ == entry->param) return kept_;
  auto network = nn::load_network(entry->param);
  if (!network) return network.error();
  kept_ = std::make_shared<const nn::Network>(*std::move(network));
  kept_path_ = entry->param;
  return kept_;
}

}  // namespace weir::tasks
