#include "nn/formats/ncnn/ncnn_support.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "nn/formats/ncnn/ncnn_layers.hpp"

namespace weir::nn {
namespace {

constexpr int kSupportedChannels = 3;
constexpr int kMostChannels = 65536;   // a larger number in a file is not taken for a number of channels
constexpr std::size_t kMaxTypes = 12;  // largest number of layer types in a message
constexpr std::string_view kSupportedFamilies =
    "networks of the Real-CUGAN, Real-ESRGAN (animevideo, general, plus) and ESRGAN families run";

/// A layer type of the network that is not supported.
struct UnsupportedType {
  std::string_view name;
  int line = 0;           ///< line number of its first layer
  std::size_t count = 0;  ///< number of its layers
};

std::vector<UnsupportedType> find_unsupported_types(std::span<const NcnnLine> lines) {
  std::vector<UnsupportedType> types;
  for (const NcnnLine& line : lines) {
    if (is_ncnn_layer_supported(line.type)) continue;
    const auto same =
        std::find_if(types.begin(), types.end(), [&](const UnsupportedType& type) { return type.name == line.type; });
    if (same != types.end())
      ++same->count;
    else
      types.push_back({line.type, line.number, 1});
  }
  return types;
}

Error unsupported_layers_error(const std::vector<UnsupportedType>& types, const std::string& file) {
  std::string names;
  for (std::size_t i = 0; i < std::min(types.size(), kMaxTypes); ++i) {
    names += fmt::format("{}{} (line {}{})", i == 0 ? "" : ", ", printable(types[i].name), types[i].line,
                         types[i].count == 1 ? "" : fmt::format(" and {} more", types[i].count - 1));
  }
  if (types.size() > kMaxTypes) names += fmt::format(" and {} more types", types.size() - kMaxTypes);
  return {Errc::unsupported, fmt::format("{}:{}: layers that are not supported: {}; {}, which are made of {}", file,
                                         types.front().line, names, kSupportedFamilies, list_supported_ncnn_layers())};
}

/// Returns the value of parameter `id`; nothing if it is absent or a list.
std::optional<double> find_number(const NcnnLine& line, int id) {
  for (const NcnnParameter& given : line.parameters) {
    if (given.id == id && !given.is_list && given.values.size() == 1) return given.values.front();
  }
  return std::nullopt;
}

/// Returns the number of input channels that follows from a Convolution's number of weights, if it is a whole number.
std::optional<int> convolution_input_channels(const NcnnLine& line) {
  // Parameters: 0 outputs, 1 kernel width, 6 number of weights, 11 kernel height.
  const auto outputs = find_number(line, 0), kernel = find_number(line, 1), weights = find_number(line, 6);
  if (!outputs || !kernel || !weights || *outputs < 1 || *kernel < 1) return std::nullopt;
  const double height = find_number(line, 11).value_or(*kernel);
  const double channels = *weights / (*outputs * *kernel * height);
  const int whole = channels >= 1 && channels <= kMostChannels ? static_cast<int>(channels) : 0;
  return whole > 0 && whole == channels ? std::optional{whole} : std::nullopt;
}

/// Returns the number of channels of the input pictures if this line determines it: an Input, or a Convolution of an
/// input picture. `pictures` has the names of the blobs that are input pictures; adds the outputs of an Input, and of a
/// Split of an input picture.
std::optional<int> find_picture_channels(const NcnnLine& line, std::set<std::string_view>& pictures) {
  if (line.type == "Input") {
    pictures.insert(line.outputs.begin(), line.outputs.end());
    const auto channels = find_number(line, 2);
    return channels && *channels >= 1 && *channels <= kMostChannels ? std::optional{static_cast<int>(*channels)}
                                                                    : std::nullopt;
  }
  if (line.inputs.size() != 1 || !pictures.contains(line.inputs.front())) return std::nullopt;
  if (line.type == "Split") pictures.insert(line.outputs.begin(), line.outputs.end());
  return line.type == "Convolution" ? convolution_input_channels(line) : std::nullopt;
}

Error other_channels_error(int channels, const NcnnLine& line, const std::string& file) {
  const std::string which =
      channels == 1 ? "grey pictures (1 channel)" : fmt::format("pictures of {} channels", channels);
  return {Errc::unsupported,
          fmt::format("{}:{}: a network for {}: not supported yet; networks for colour pictures (3 channels) run", file,
                      line.number, which)};
}

}  // namespace

Status check_ncnn_support(std::span<const NcnnLine> lines, const std::string& file) {
  if (const auto types = find_unsupported_types(lines); !types.empty()) return unsupported_layers_error(types, file);
  std::set<std::string_view> pictures;
  for (const NcnnLine& line : lines) {
    const auto channels = find_picture_channels(line, pictures);
    if (channels && *channels != kSupportedChannels) return other_channels_error(*channels, line, file);
  }
  return ok();
}

}  // namespace weir::nn
