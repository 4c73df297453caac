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
  std::string name;  ///< "realcugan", "animevideo", "realesrgan" or "unknown"; only for messages
  int scale = 1;     ///< output pixels per input pixel
  int border = 0;    ///< pixels of reflected border that are added to the input on every side
  int align = 1;     ///< before the border is added, the picture is extended at the right and the bottom to a
                     ///< width and height that are multiples of this number of pixels
  int crop = 0;      ///< output pixels to remove at the top and at the left: the enlarged border, as far as the
                     ///< network does not remove it itself
  bool needs_enlarged_picture = false;  ///< a run must add the picture, enlarged by nearest neighbour, to the
                                        ///< network's output (RealCUGAN 4x)
  int mean_count = 0;                   ///< number of GlobalAverage layers (means over the whole picture)
};
/// Derives the family from a graph. Errors: unsupported, with the reason, for example a scale that is not a whole
/// number.
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

/// Reads a network from X.param and X.bin. Does not read more of X.bin than X.param describes.
/// Errors: io, corrupt, unsupported; each message names file, line and layer.
Result<Network> load_network(const std::filesystem::path& param_path);
/// Reads a network from memory: the text of a .param file and the bytes of a .bin file. `name` is for messages and
/// becomes Network::name. Errors: corrupt, unsupported.
Result<Network> parse_network(std::string_view param_text, std::span<const std::byte> bin, const std::string& name);

/// Reads a network without its weights, for lists of networks: reads X.param and checks only the length of X.bin. The
/// weight, bias and slope of every layer are empty. If X.bin is too short, returns the error of load_network, which
/// names the layer. Errors: those of load_network, except errors in the values of the weights.
Result<Network> read_network_structure(const std::filesystem::path& param_path);

/// Returns the path of the weights of X.param: X.bin in the same folder.
std::filesystem::path weights_path(const std::filesystem::path& param_path);

}  // namespace weir::nn
