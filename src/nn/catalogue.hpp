#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "nn/network.hpp"

namespace weir::nn {

/// A network file that was found. If unreadable_reason is empty, the network can be used, and all other fields are set
/// (`noise` and `scale_in_name` only if the name contains them). If not, only `param_path`, `name`, `folder`, `noise`,
/// `scale_in_name` and `unreadable_reason` are set.
/// One more kind of entry reports a folder that was not searched completely, because it has too many files:
/// `param_path` is the path of this folder, `name` and `folder` are its name, and unreadable_reason has the text for
/// the user.
struct CatalogueEntry {
  std::filesystem::path param_path;  ///< path of the .param file
  std::string name;                  ///< file name without folder and ending
  std::string folder;                ///< name of the folder that contains the file, without its parents
  std::string unreadable_reason;     ///< why the network cannot be used; empty if it can be used
  Family family;
  std::optional<int> noise;              ///< parse_noise_level(name)
  std::optional<int> scale_in_name;      ///< parse_scale(name); the scale that the graph itself has is family.scale
  std::size_t layers = 0;                ///< number of layers
  std::int64_t parameters = 0;           ///< number of weights, biases and slopes
  double multiplications_per_pixel = 0;  ///< per pixel of the input: nn::multiplications_per_pixel()
};

/// Returns the folders to search for networks, in this order: the folders in `weir_models`, which is the value of
/// $WEIR_MODELS (paths separated by colons); `home`/.local/share/weir/models; `prefix`/share/weir/models, where
/// `prefix` is the folder in which weir is installed. An empty argument adds no folder.
std::vector<std::filesystem::path> model_folders(std::string_view weir_models, const std::filesystem::path& home,
                                                 const std::filesystem::path& prefix);

/// Finds networks:
///   - `model` is the path of a network (X.param, X.bin, or X without an ending): returns this network;
///   - `model` is a folder: returns the networks in this folder;
///   - no `model`: returns the networks in all `folders`; skips folders that do not exist.
/// A search includes four levels of subfolders. The result has the folders in the order of the search, and the networks
/// of each folder sorted by path. A file that is reached by two paths is listed once. Reads each network with
/// read_network_structure(). A network that cannot be used is not an error: its entry has the reason.
/// Errors: invalid_argument if `model` is neither a network nor a folder that can be listed.
Result<std::vector<CatalogueEntry>> find_networks(const std::optional<std::filesystem::path>& model,
                                                  std::span<const std::filesystem::path> folders);

/// The properties that the selected network must have; an empty or missing field sets no condition.
struct NetworkRequest {
  /// The case of letters does not matter. An entry matches if `name` is its CatalogueEntry::name or its "folder/name".
  /// If no entry matches in this way, those match whose CatalogueEntry::folder is `name`; if there are none of these
  /// either, those whose "folder/name" contains `name`.
  std::string name;
  std::optional<int> scale;  ///< scale of the network itself (not of the result of a run)
  std::optional<int> noise;  ///< noise level, see parse_noise_level()
};

/// Returns a label of a network for messages: "weir-2x (2x)", "noise1_scale2.0x_model (2x, noise 1)". `noise` is the
/// noise level.
std::string format_network_label(const std::string& name, int scale, std::optional<int> noise);

/// Returns the network that matches `request`. If several networks match, the first of these rules that distinguishes
/// them decides:
///   1. a network that enlarges is preferred to one of scale 1 (waifu2x's noise1_model);
///   2. fewer multiplications per pixel (animevideo has the fewest, then RealCUGAN, then Real-ESRGAN);
///   3. the lower noise level (RealCUGAN: conservative, then no-denoise, then denoise1x); a network without a noise
///      level counts as -1;
///   4. the folder: models-se, then models-pro, then models-nose, then any other;
///   5. the earlier position in `entries`.
/// Never returns a network of another scale or noise level than requested.
/// Errors: invalid_argument; the message lists the available networks, or contains the reason why the matching network
/// is unreadable.
Result<CatalogueEntry> select_network(std::span<const CatalogueEntry> entries, const NetworkRequest& request);

/// Returns a network for an enlargement that need not be the scale of a network (2.5). Considers the networks that
/// match the name and noise level of `request`, and ignores request.scale. Of their scales, chooses the smallest one
/// that is at least `enlargement`, and returns what select_network() returns for this scale. If all scales are below
/// `enlargement`, chooses the largest one: then the network does not enlarge enough when it is applied once, so the
/// caller must compare family.scale with `enlargement`. Errors: those of select_network.
Result<CatalogueEntry> select_for_enlargement(std::span<const CatalogueEntry> entries, NetworkRequest request,
                                              double enlargement);

}  // namespace weir::nn
