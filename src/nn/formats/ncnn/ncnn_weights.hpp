#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "nn/formats/ncnn/ncnn_graph.hpp"

namespace weir::nn {

/// The smallest and the largest possible length of a .bin: with all weights in 16 bits, and with all in 32 bits.
struct NcnnBinLength {
  Bytes least, most;
};
/// Returns the possible lengths of a .bin with these arrays.
NcnnBinLength bin_length(std::span<const NcnnArray> arrays);

/// Reads the contents of a .bin from the beginning to the end. Implemented for files and for memory.
class WeightReader {
 public:
  virtual ~WeightReader() = default;
  /// Returns the number of bytes that were not read yet.
  [[nodiscard]] virtual std::uint64_t bytes_left() const = 0;
  /// Reads the next to.size() bytes, which must be at most bytes_left(). Errors: io.
  virtual Status read(std::span<std::byte> to) = 0;
};

/// Sets the weights, biases and slopes of the graph from the contents of the .bin; sets biases that the file does not
/// contain to zero. `file` is the file's name for messages. The format of the file:
/// Weights begin with a tag of 32 bits: 0 for float32, 0x01306B47 for float16 (padded to 4 bytes); biases and slopes
/// are float32 without a tag. Little-endian. Allocates each array only if the file still has enough bytes for it.
/// Errors: io; corrupt (too short, too long, not finite), unsupported (int8 and other tags): "FILE: LAYER: ...".
/// Source: ncnn's wiki, "param and model file structure"; lengths of the published networks.
Status read_ncnn_weights(NcnnDescription& network, WeightReader& bin, const std::string& file);

}  // namespace weir::nn
