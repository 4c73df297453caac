#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "nn/catalogue.hpp"
#include "tasks/picture_task.hpp"

namespace weir::tasks {

/// What the user says about the network; empty fields leave the choice to the scale that is wanted.
struct NetworkOptions {
  std::filesystem::path model;  ///< a network or a folder; empty: all of `folders`
  std::string name;
  std::optional<int> noise;
  std::vector<std::filesystem::path> folders;
};

/// The networks that fit a wish, each read when it is first needed; the one used last is kept. Not thread-safe.
class NetworkCache {
 public:
  /// Errors: invalid_argument (no such model, no network of that name or noise); unsupported if there is none that
  /// can be read.
  static Result<NetworkCache> open(NetworkOptions options);

  /// The network for a wanted scale; 0 asks for a network's own. Errors: those of nn::select_for_enlargement and
  /// nn::load_network.
  Result<std::shared_ptr<const nn::Network>> load(double scale);
  /// The same, unread. Errors: those of nn::select_for_enlargement.
  Result<nn::CatalogueEntry> select(double scale) const;
  /// Gives back the network that was kept.
  void release() {
    loaded_.reset();
    loaded_path_.clear();
  }

 private:
  NetworkCache(std::vector<nn::CatalogueEntry> entries, nn::NetworkRequest request)
      : entries_{std::move(entries)}, request_{std::move(request)} {}
  std::vector<nn::CatalogueEntry> entries_;
  nn::NetworkRequest request_;
  std::filesystem::path loaded_path_;
  std::shared_ptr<const nn::Network> loaded_;
};

}  // namespace weir::tasks
