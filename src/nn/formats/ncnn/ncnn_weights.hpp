#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "nn/formats/ncnn/ncnn_graph.hpp"

namespace weir::nn {

/// The lengths that a .bin with these arrays can have: all weights of 16 bits, all of 32 bits.
struct NcnnBinLength {
  Bytes least, most;
};
NcnnBinLength bin_length(std::span<const NcnnArray> arrays);

/// The contents of a .bin, handed out from the front.
class WeightReader {
 public:
  virtual ~WeightReader() = default;
  [[nodiscard]] virtual std::uint64_t bytes_left() const = 0;
  /// The next bytes; no more than are left. Errors: io.
  virtual Status read(std::span<std::byte> to) = 0;
};

/// Fills the arrays of the graph from the contents of the .bin; biases that the file does not have become zero.
/// Weights carry a tag of 32 bits: 0 for float32, 0x01306B47 for float16 (padded to 4 bytes); biases and slopes are
/// float32 without a tag. Little-endian. Each array is allocated only when the file still has its bytes.
/// Errors: corrupt (too short, too long, not finite), unsupported (int8 and other tags): "FILE: LAYER: ...".
/// Source: ncnn's wiki, "param and model file structure"; lengths of the published networks.
Status read_ncnn_weights(NcnnDescription& network, WeightReader& bin, const std::string& file);

}  // namespace weir::nn
