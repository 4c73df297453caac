#include "nn/formats/ncnn/ncnn_weights.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "base/round_up.hpp"
#include "compute/half.hpp"

namespace weir::nn {

namespace {

static_assert(std::endian::native == std::endian::little, "the .bin is read as little-endian memory");

// The tags of ncnn: they give the type of the weights that follow.
constexpr std::uint32_t kFloat32Tag = 0;
constexpr std::uint32_t kFloat16Tag = 0x01306B47;
constexpr std::uint32_t kInt8Tag = 0x000D4B38;
constexpr std::uint64_t kTagBytes = 4;

/// Returns the bytes of `count` float16 values in a .bin, with the padding to 4 bytes.
std::uint64_t half_bytes(std::int64_t count) { return round_up(static_cast<std::uint64_t>(count) * 2, 4); }
/// Returns the bytes of `count` float32 values.
std::uint64_t float_bytes(std::int64_t count) { return static_cast<std::uint64_t>(count) * 4; }

std::string_view name_of(NcnnArray::Kind kind) {
  return kind == NcnnArray::Kind::weight ? "weights" : kind == NcnnArray::Kind::bias ? "biases" : "slopes";
}

/// Reads the arrays of a .bin, in the order of the file. `layer` is the layer of an array, for messages.
class ArrayReader {
 public:
  ArrayReader(WeightReader& bin, const std::string& file) : bin_{bin}, file_{file} {}

  /// Reads the next array. Errors: io, corrupt, unsupported.
  Result<std::vector<float>> read(const NcnnArray& array, const Layer& layer) {
    bool half = false;
    if (array.kind == NcnnArray::Kind::weight) {
      const auto tag = read_tag(array, layer);
      if (!tag) return tag.error();
      half = *tag == kFloat16Tag;
    }
    const std::uint64_t bytes = half ? half_bytes(array.count) : float_bytes(array.count);
    if (bin_.bytes_left() < bytes) return too_short(array, layer, bytes);
    std::vector<float> values(static_cast<std::size_t>(array.count));
    if (auto status = half ? read_halves(values) : bin_.read(std::as_writable_bytes(std::span{values})); !status) {
      return status.error();
    }
    const auto bad = std::find_if(values.begin(), values.end(), [](float value) { return !std::isfinite(value); });
    if (bad != values.end()) return not_finite(bad - values.begin(), array, layer);
    return values;
  }

  /// Checks that the file ends after the last array. Errors: corrupt.
  Status finish() const {
    if (bin_.bytes_left() == 0) return ok();
    return Error{Errc::corrupt,
                 fmt::format("{}: {} bytes are left after the last layer: not the weights of this network", file_,
                             bin_.bytes_left())};
  }

 private:
  Result<std::uint32_t> read_tag(const NcnnArray& array, const Layer& layer) {
    std::uint32_t tag = 0;
    if (bin_.bytes_left() < kTagBytes) return too_short(array, layer, kTagBytes);
    if (auto status = bin_.read(std::as_writable_bytes(std::span{&tag, 1})); !status) return status.error();
    if (tag == kFloat32Tag || tag == kFloat16Tag) return tag;
    if (tag == kInt8Tag) return error(Errc::unsupported, layer, "int8 weights; supported: float32 and float16");
    return error(Errc::unsupported, layer,
                 fmt::format("weights are tagged 0x{:08X}; supported: float32 (0) and float16 "
                             "(0x{:08X})",
                             tag, kFloat16Tag));
  }

  /// Reads float16 values through a small buffer that stays in the CPU's cache. The buffer has an even number of
  /// values, so that only the last piece can have padding.
  Status read_halves(std::vector<float>& values) {
    std::array<std::uint16_t, 4096> piece;
    for (std::size_t done = 0; done < values.size(); done += piece.size()) {
      const std::size_t count = std::min(piece.size(), values.size() - done);
      const std::size_t with_padding = half_bytes(static_cast<std::int64_t>(count)) / 2;
      if (auto status = bin_.read(std::as_writable_bytes(std::span{piece}.first(with_padding))); !status) return status;
      std::transform(piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(count),
                     values.begin() + static_cast<std::ptrdiff_t>(done), compute::half_to_float);
    }
    return ok();
  }

  Error error(Errc code, const Layer& layer, const std::string& why) const {
    return {code, fmt::format("{}: {}: {}", file_, describe(layer), why)};
  }
  Error too_short(const NcnnArray& array, const Layer& layer, std::uint64_t bytes) const {
    return error(Errc::corrupt, layer,
                 fmt::format("{} {} need {} bytes, and {} are left in the file", array.count, name_of(array.kind),
                             bytes, bin_.bytes_left()));
  }
  Error not_finite(std::ptrdiff_t at, const NcnnArray& array, const Layer& layer) const {
    return error(Errc::corrupt, layer,
                 fmt::format("number {} of {} {} is not finite", at, array.count, name_of(array.kind)));
  }

  WeightReader& bin_;
  const std::string& file_;
};

/// Moves the values into the operation's member of this kind.
void store(Operation& operation, NcnnArray::Kind kind, std::vector<float> values) {
  std::visit(
      [&](auto& op) {
        if constexpr (requires { op.weight; }) {
          (kind == NcnnArray::Kind::weight ? op.weight : op.bias) = std::move(values);
        } else if constexpr (requires { op.slope; }) {
          op.slope = std::move(values);
        }
      },
      operation);
}

/// Sets biases that the file does not contain to zero.
void fill_missing_bias(Operation& operation) {
  std::visit(
      [](auto& op) {
        if constexpr (requires { op.bias; }) op.bias.resize(static_cast<std::size_t>(op.out_channels));
      },
      operation);
}

}  // namespace

NcnnBinLength bin_length(std::span<const NcnnArray> arrays) {
  NcnnBinLength length;
  for (const NcnnArray& array : arrays) {
    const bool tagged = array.kind == NcnnArray::Kind::weight;
    const std::uint64_t tag = tagged ? kTagBytes : 0;
    length.most += Bytes{tag + float_bytes(array.count)};
    length.least += Bytes{tag + (tagged ? half_bytes(array.count) : float_bytes(array.count))};
  }
  return length;
}

Status read_ncnn_weights(NcnnDescription& network, WeightReader& bin, const std::string& file) {
  ArrayReader reader{bin, file};
  for (const NcnnArray& array : network.arrays) {
    Layer& layer = network.graph.layers[array.layer];
    auto values = reader.read(array, layer);
    if (!values) return values.error();
    store(layer.operation, array.kind, *std::move(values));
  }
  if (auto status = reader.finish(); !status) return status;
  for (Layer& layer : network.graph.layers) fill_missing_bias(layer.operation);
  return ok();
}

}  // namespace weir::nn
