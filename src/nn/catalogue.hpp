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

/// One network that was found, or one that was found and cannot be used.
struct CatalogueEntry {
  std::filesystem::path param_path;
  std::string name;               ///< file stem
  std::string folder;             ///< the name of the folder that holds it
  std::string unreadable_reason;  ///< why; empty if the network can be used, and only then is the rest filled
  Family family;
  std::optional<int> noise;          ///< as noise_of(name) tells, readable or not
  std::optional<int> scale_in_name;  ///< as scale_of(name) tells, readable or not; family.scale is the graph's
  std::size_t layers = 0;
  std::int64_t parameters = 0;
  double multiplications_per_pixel = 0;
};

/// Where networks are looked for, in order: the folders of $WEIR_MODELS (separated by colons), HOME/.local/share/weir/models,
/// PREFIX/share/weir/models. Empty arguments add nothing.
std::vector<std::filesystem::path> model_folders(std::string_view weir_models, const std::filesystem::path& home,
                                                 const std::filesystem::path& prefix);

/// With `model`: that network (X.param, X.bin, or X without an ending), or the networks of that folder; `folders` are not
/// searched. Without it: the networks of all `folders`; those that do not exist are passed over. Folders are searched
/// four levels deep, each in the order of paths; a file that two ways lead to is there once. Only the .param is read.
/// Errors: invalid_argument if `model` is neither.
Result<std::vector<CatalogueEntry>> find_networks(const std::optional<std::filesystem::path>& model,
                                                  std::span<const std::filesystem::path> folders);

/// What is asked of a network; an empty or missing field asks nothing.
struct NetworkRequest {
  std::string name;  ///< the stem or "folder/stem"; else a folder; else a part of "folder/stem"; case is ignored
  std::optional<int> scale;  ///< the network's own
  std::optional<int> noise;
};

/// A network for messages: "weir-2x (2x)", "noise1_scale2.0x_model (2x, noise 1)".
std::string format_network_label(const std::string& name, int scale, std::optional<int> noise);

/// The network that fits. Of several: one that enlarges before one that does not (waifu2x's noise1_model); then the one
/// with the fewest multiplications per pixel (which is animevideo before RealCUGAN before Real-ESRGAN); then the one that
/// denoises least, conservative before no-denoise before denoise1x; then se before pro before nose; then the first that
/// was found. Never one of another scale or noise level.
/// Errors: invalid_argument, naming what there is, or why the network that would fit is unreadable.
Result<CatalogueEntry> select_network(std::span<const CatalogueEntry> entries, const NetworkRequest& request);

/// The same for a wanted enlargement that no network may give by itself (2.5): a network of that scale, else of the next
/// larger scale, else of the largest (then it takes two runs or a resize; the caller compares family.scale and says so).
/// request.scale is not looked at. Errors: those of select_network.
Result<CatalogueEntry> select_for_enlargement(std::span<const CatalogueEntry> entries, NetworkRequest request,
                                              double enlargement);

}  // namespace weir::nn
