#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "nn/catalogue.hpp"
#include "tasks/picture_task.hpp"

namespace weir::tasks {

/// What the user says about the network; empty fields leave the choice to the scale that is wanted.
struct NetworkWish {
  std::filesystem::path model;  ///< a network or a folder; empty: all of `folders`
  std::string name;
  std::optional<int> noise;
  std::vector<std::filesystem::path> folders;
};

/// The networks that fit a wish, each read when it is first needed; the one used last is kept. Not thread-safe.
class NetworkShelf {
 public:
  /// Errors: invalid_argument (no such model, no network of that name or noise); unsupported if there is none that
  /// can be read.
  static Result<NetworkShelf> open(NetworkWish wish);

  /// The network for a wanted scale; 0 asks for a network's own. Errors: those of nn::select_for_enlargement and
  /// nn::load_network.
  Result<std::shared_ptr<const nn::Network>> get(double scale);
  /// The same, unread. Errors: those of nn::select_for_enlargement.
  Result<nn::CatalogueEntry> select(double scale) const;
  /// Gives back the network that was kept.
  void forget() {
    kept_.reset();
    kept_path_.clear();
  }

 private:
  NetworkShelf(std::vector<nn::CatalogueEntry> entries, nn::NetworkRequest request)
      : entries_{std::move(entries)}, request_{std::move(request)} {}
  std::vector<nn::CatalogueEntry> entries_;
  nn::NetworkRequest request_;
  std::filesystem::path kept_path_;
  std::shared_ptr<const nn::Network> kept_;
};

}  // namespace weir::tasks
