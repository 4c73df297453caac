#include "tasks/network_shelf.hpp"

#include <utility>

namespace weir::tasks {

NetworkSource make_network_source(NetworkWish wish) {
  std::shared_ptr<const nn::Network> kept;
  return [wish = std::move(wish), kept](double) mutable -> Result<std::shared_ptr<const nn::Network>> {
    if (kept) return kept;
    auto network = nn::load_network(wish.model);
    if (!network) return network.error();
    kept = std::make_shared<const nn::Network>(*std::move(network));
    return kept;
  };
}

}  // namespace weir::tasks
