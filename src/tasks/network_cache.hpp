#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "nn/catalogue.hpp"
#include "tasks/picture_task.hpp"

namespace weir::tasks {

/// The user's choice of networks. Of several networks that match, NetworkCache::select() chooses one by the scale and
/// by the rules of nn::select_network.
struct NetworkOptions {
  std::filesystem::path model;                 ///< a network file or a folder with networks; empty: search in `folders`
  std::string name;                            ///< text that matches as nn::NetworkRequest::name; empty: any
  std::optional<int> noise;                    ///< noise level that the network removes; empty: any
  std::vector<std::filesystem::path> folders;  ///< search folders; used only if `model` is empty
};

/// The networks that match the user's choice. A network is read when load() needs it; only the network that load()
/// returned last stays in memory. Not thread-safe.
class NetworkCache {
 public:
  /// Finds the networks that match the options. Errors: invalid_argument (no such model, no network of that name or
  /// noise level); unsupported if no network is found, or no found network can be read.
  static Result<NetworkCache> open(NetworkOptions options);

  /// Finds the networks of a variant by its name: where `first_choice` searches, else beside its network file, else in its
  /// search folders. Errors: those of open() for the first of these places, with the text "--variants: ...".
  static Result<NetworkCache> open_variant(const NetworkOptions& first_choice, const std::string& name);

  /// Returns the network that select() chooses, and reads its files if it is not in memory. Errors: those of select()
  /// and nn::load_network.
  Result<std::shared_ptr<const nn::Network>> load(double scale);
  /// Returns the catalogue entry of the best matching network for enlarging by `scale`
  /// (nn::select_for_enlargement); 0: of the best matching network of any scale (nn::select_network). Does not read the
  /// network. Errors: invalid_argument if no network matches, or the best matching network cannot be read.
  Result<nn::CatalogueEntry> select(double scale) const;
  /// Releases the network that is in memory. It is freed as soon as no other object uses it.
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

/// The networks of one variant.
struct NetworkVariant {
  std::string name;
  NetworkCache cache;
};

/// Opens the first choice, which is named "first choice", and after it the variants with these names. Errors: those of
/// NetworkCache::open() and open_variant().
Result<std::vector<NetworkVariant>> open_variants(const NetworkOptions& first_choice,
                                                  const std::vector<std::string>& names);

}  // namespace weir::tasks
