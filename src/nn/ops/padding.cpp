// The op `padding`: adds rows and columns on each side. Lowers the layer Padding to it.

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>
#include <variant>
#include <vector>

#include <fmt/format.h>

#include "compute/half.hpp"
#include "nn/cpu/pass_ops.hpp"
#include "nn/lowering.hpp"
#include "nn/op_traits.hpp"
#include "nn/vulkan/recording.hpp"

namespace weir::nn {

namespace {

using compute::PaddingMode;

constexpr float kLargestHalf = 65504;  // the largest float16 value

/// Returns the range from the first to the last row (or column) of the input that output rows `out` read, mirrored rows
/// included.
RowRange padding_input_rows(const Op& op, RowRange out, const AxisExtents& axis) {
  const auto& padding = std::get<Padding>(op.layer_operation);
  const int before = axis.is_columns ? padding.left : padding.top;
  const int after = axis.is_columns ? padding.right : padding.bottom;
  const int extent = axis.output - before - after;  // extent of the view
  if (padding.mode == PaddingMode::reflect && std::max(before, after) >= extent) return {0, extent};
  int first = std::clamp(out.first - before, 0, extent - 1);
  int end = std::clamp(out.end - before, first + 1, extent);
  if (padding.mode == PaddingMode::reflect) {
    // The last output row mirrors row extent - 1 - after of the view. All steps before it need this row too, because
    // the first needed row must not decrease when `out` moves down. An output row above the view mirrors row before -
    // (output row), so out.first mirrors the lowest of these rows.
    first = std::min(first, extent - 1 - after);
    end = std::max(end, std::min(before - out.first + 1, extent));
  }
  return {first, end};
}

/// Writes one row of one plane of the padded tensor.
class PaddedRow {
 public:
  PaddedRow(PassOps& pass, const Op& op, int y, int plane)
      : padding_{std::get<Padding>(op.layer_operation)},
        width_{pass.extent(op.output).width - padding_.left - padding_.right},
        pixel_bytes_{pass.pixel_bytes(op.output)},
        to_{pass.write_address(op.output, y) + plane_offset(pass, op.output, plane)} {
    const int height = pass.extent(op.output).height - padding_.top - padding_.bottom;  // rows of the input
    const TensorView& source = op.inputs[0];
    const int row = padding_source(padding_.mode, y - padding_.top, height);  // below 0: the row is constant
    if (row >= 0)
      from_ =
          pass.read_address(source.tensor, row + source.top, source.left) + plane_offset(pass, source.tensor, plane);
  }

  /// Writes columns first..last-1. `constant` has the bytes of a pixel outside the input, for constant padding.
  void fill(int first, int last, const std::vector<std::byte>& constant) const {
    for (int x = first; x < last;) {
      // The columns from x on that are columns of the input, not padding, are copied at once.
      const int copied = from_ == nullptr ? 0 : std::min(last, padding_.left + width_) - x;
      if (x >= padding_.left && copied > 0) {
        std::memcpy(at(x), from_ + offset(x - padding_.left), offset(copied));
        x += copied;
        continue;
      }
      const int column = from_ == nullptr ? -1 : padding_source(padding_.mode, x - padding_.left, width_);
      if (column < 0) {
        std::memcpy(at(x), constant.data(), constant.size());
      } else {
        std::memcpy(at(x), from_ + offset(column), pixel_bytes_);
      }
      ++x;
    }
  }

 private:
  /// Returns the offset of a plane in a row, in bytes.
  static std::size_t plane_offset(const PassOps& pass, int t, int plane) {
    return static_cast<std::size_t>(plane) * static_cast<std::size_t>(pass.layout(t).plane_stride) * sizeof(float);
  }
  /// Returns the bytes of `columns` columns.
  std::size_t offset(int columns) const { return static_cast<std::size_t>(columns) * pixel_bytes_; }
  std::byte* at(int x) const { return to_ + offset(x); }

  const Padding& padding_;
  int width_;  // columns of the input
  std::size_t pixel_bytes_;
  std::byte* to_;                    // column 0 of the output row
  const std::byte* from_ = nullptr;  // column 0 of the input row; null: the whole row is constant
};

/// Returns the bytes of a constant pixel: all its channels, or one value of a planar tensor.
std::vector<std::byte> make_constant_pixel(const PassOps& pass, const Op& op) {
  const int output = op.output;
  const float value = std::get<Padding>(op.layer_operation).value;
  const std::uint16_t half = compute::float_to_half(value);
  const std::size_t element_bytes = pass.element_bytes(output);
  const std::size_t channels = pass.tensor(output).planar ? 1 : static_cast<std::size_t>(pass.tensor(output).channels);
  std::vector<std::byte> pixel(channels * element_bytes);
  for (std::size_t c = 0; c < channels; ++c) {
    std::memcpy(pixel.data() + c * element_bytes,
                element_bytes == sizeof half ? static_cast<const void*>(&half) : &value, element_bytes);
  }
  return pixel;
}

void compute_padding(PassOps& pass, int o, RowRange rows) {
  const Op& op = pass.op(o);
  const int output = op.output;
  const int planes = pass.tensor(output).planar ? pass.tensor(output).channels : 1;
  const std::vector<std::byte> constant = make_constant_pixel(pass, op);
  const int row_count = (rows.end - rows.first) * planes;
  const int width = pass.extent(output).width;
  pass.parallel_for(row_count, width, PassOps::kColumnGrain, [&](int row, int first, int last, int /*member*/) {
    PaddedRow{pass, op, rows.first + row / planes, row % planes}.fill(first, last, constant);
  });
}

std::vector<DeviceCall> padding_calls(const Op& op, const DeviceOutput& part) {
  const auto& padding = std::get<Padding>(op.layer_operation);
  const TensorView& view = op.inputs[0];
  const vulkan::Rect& held = part.sources[0].region;  // the region that is in device memory
  // The order of the constants and push constants is that of padding.comp.
  DeviceCall call{.kernel = "padding", .vector_count = (part.channels + 3) / 4};
  call.constants = {call.vector_count, part.channels, static_cast<int>(padding.mode)};
  for (const int number :
       {part.region.left - padding.left, part.region.top - padding.top,
        part.full_extent.width - padding.left - padding.right, part.full_extent.height - padding.top - padding.bottom,
        view.left - held.left, view.top - held.top}) {
    call.push_constants.push_back(vulkan::to_word(number));
  }
  call.push_constants.insert(call.push_constants.end(), {vulkan::to_word(held.width()), vulkan::pack_size(part.region),
                                                         std::bit_cast<std::uint32_t>(padding.value)});
  return {std::move(call)};
}

constexpr OpTraits kPadding{.name = "padding",
                            .input_rows = padding_input_rows,
                            .compute_rows = compute_padding,
                            .device_calls = padding_calls};

}  // namespace

Status Padding::lower(Lowering& lowering, const Layer& layer) const {
  const LoweredBlob& in = lowering.lowered_blob(layer.inputs[0]);
  if (in.parts.size() != 1) return lowering.unsupported("a padding of a concatenation");
  if (in.parts[0].gate >= 0) return lowering.unsupported("a padding of a gated input");
  if (std::fabs(value) > kLargestHalf) {
    return lowering.unsupported(fmt::format("a padding with {}; supported: up to {}", value, kLargestHalf));
  }
  Op padding;
  padding.kind = OpKind{&kPadding};
  padding.inputs = in.parts;
  padding.layer_operation = *this;
  lowering.emit(std::move(padding), layer.outputs[0]);
  return ok();
}

}  // namespace weir::nn
