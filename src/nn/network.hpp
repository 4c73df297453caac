#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "nn/graph.hpp"

namespace weir::nn {

/// The properties of a network that a run needs in addition to its layers; derived from the graph alone.
struct Family {
  std::string name;  ///< "realcugan", "animevideo", "realesrgan" or "unknown"; only for reports
  int scale = 1;     ///< output pixels per input pixel, along one axis
  int border = 0;    ///< pixels of reflected border that are added to the picture on every side
  int align = 1;     ///< before the border is added, the picture is extended by reflection at the right and the
                     ///< bottom to a width and height that are multiples of this number of pixels
  int crop = 0;      ///< rows and columns to remove from the output at the top and at the left: the enlarged
                     ///< border, as far as the network does not remove it itself
  bool needs_enlarged_picture = false;  ///< a run must add the picture, enlarged by nearest neighbour, to the
                                        ///< network's output (RealCUGAN 4x)
  int mean_count = 0;                   ///< number of GlobalAverage layers (means over the whole picture)
};
/// Derives the family from a graph. Errors: unsupported, with the reason, for example a scale that is not a whole
/// number; those of blob_scales.
Result<Family> recognise_family(const Graph& graph);

/// A network that was read and checked, with its family. A value type; threads may read one object at the same time.
struct Network {
  Graph graph;
  Family family;
  std::string name;                      ///< file name without folder and ending, or the name given to parse_network()
  std::filesystem::path param_path;      ///< path of the .param file; empty if the network was read from memory
  std::int64_t parameters = 0;           ///< number of weights, biases and slopes
  double multiplications_per_pixel = 0;  ///< per pixel of the input: nn::multiplications_per_pixel()
};

/// Reads a network from its .param file, and from its .bin file in the same folder (weights_path()). Does not read more
/// of the .bin than the .param describes.
/// Errors: io, corrupt, unsupported; those of recognise_family. Each message names the file; if the error is in a
/// layer, it also names the layer and its line.
Result<Network> load_network(const std::filesystem::path& param_path);
/// Reads a network from memory: the text of a .param file and the bytes of a .bin file. `name` is for messages and
/// becomes Network::name. Errors: those of load_network, except io.
Result<Network> parse_network(std::string_view param_text, std::span<const std::byte> bin, const std::string& name);

/// Reads a network without its weights, for lists of networks: reads the .param, and checks only the length of the
/// .bin. The weight, bias and slope of every layer are empty. If the .bin is too short, calls load_network() and
/// returns its error, which names the layer. Errors: those of load_network, except those that only the contents of the
/// .bin show.
Result<Network> read_network_structure(const std::filesystem::path& param_path);

/// Returns the path of the file of weights that belongs to `param_path`: the same path with the ending .bin.
std::filesystem::path weights_path(const std::filesystem::path& param_path);

}  // namespace weir::nn
