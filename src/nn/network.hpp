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

/// What weir must know of a network beyond its layers; recognised from the graph alone.
struct Family {
  std::string name;  ///< "realcugan", "animevideo", "realesrgan", "unknown": for people only
  int scale = 1;     ///< output pixels per input pixel
  int border = 0;    ///< pixels of reflected border that the input is given on every side
  int align = 1;     ///< the bordered input is grown at the right and bottom to useful sizes of this multiple
  int crop = 0;      ///< output pixels taken away at the top and left (zero-padded families give the border back)
  bool adds_enlarged_picture =
      false;           ///< the output is added to the input enlarged by nearest neighbour (RealCUGAN 4x)
  int mean_count = 0;  ///< number of whole-picture channel means
};
/// Errors: unsupported with the reason (two pictures in, scale not a whole number, ...).
Result<Family> recognise_family(const Graph& graph);

/// A network that was read, checked and recognised. A value, shared read-only between threads.
struct Network {
  Graph graph;
  Family family;
  std::string name;                      ///< file stem
  std::filesystem::path param_path;      ///< for messages; empty if made in memory
  std::int64_t parameters = 0;           ///< weights, biases, slopes
  double multiplications_per_pixel = 0;  ///< of the input, borders left out
};

/// Reads X.param and X.bin. Errors: io, corrupt, unsupported; each names file, line and layer.
/// Reads no more of X.bin than X.param can account for.
Result<Network> load_network(const std::filesystem::path& param_path);
/// The same from memory; `name` is for messages.
Result<Network> parse_network(std::string_view param_text, std::span<const std::byte> bin, const std::string& name);

/// The same without the weights: X.param is read, and of X.bin only the length is checked. For lists of networks; every
/// weight, bias and slope of the graph is empty. Errors: those of load_network that need no weights.
Result<Network> read_network_structure(const std::filesystem::path& param_path);

/// The file of weights that belongs to X.param: X.bin beside it.
std::filesystem::path weights_path(const std::filesystem::path& param_path);

}  // namespace weir::nn
