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

using compute::Fill;

constexpr float kLargestHalf = 65504;

/// Of the constant and of what is mirrored as much as lies between the first and the last position that are read.
Rows padding_reads(const Op& op, Rows out, const Axis& axis) {
  const auto& p = std::get<Padding>(op.own);
  const int before = axis.columns ? p.left : p.top;
  const int after = axis.columns ? p.right : p.bottom;
  const int extent = axis.out - before - after;  // of the view
  if (p.fill == Fill::reflect && std::max(before, after) >= extent) return {0, extent};
  int first = std::clamp(out.first - before, 0, extent - 1);
  int last = std::clamp(out.last - before, first + 1, extent);
  if (p.fill == Fill::reflect) {
    first = std::min(first, extent - 1 - after);  // what comes later goes back as far
    last = std::max(last, std::min(before - out.first + 1, extent));
  }
  return {first, last};
}

/// Rows of one tensor: `planes` of them, with elements of `step` bytes.
class PaddedRow {
 public:
  PaddedRow(PassOps& pass, const Op& op, int y, int plane)
      : padding_{std::get<Padding>(op.own)},
        width_{pass.extent(op.output).width - padding_.left - padding_.right},
        step_{pass.pixel(op.output)},
        to_{pass.out_at(op.output, y) + bytes(pass, op.output, plane)} {
    const int height = pass.extent(op.output).height - padding_.top - padding_.bottom;
    const View& v = op.inputs[0];
    const int from = filled_from(padding_.fill, y - padding_.top, height);
    if (from >= 0) from_ = pass.at(v.tensor, from + v.top, v.left) + bytes(pass, v.tensor, plane);
  }

  /// Columns first..last-1; `constant` is a pixel.
  void fill(int first, int last, const std::vector<std::byte>& constant) const {
    for (int x = first; x < last;) {
      const int inside = from_ == nullptr ? 0 : std::min(last, padding_.left + width_) - x;
      if (x >= padding_.left && inside > 0) {
        std::memcpy(at(x), from_ + offset(x - padding_.left), offset(inside));
        x += inside;
        continue;
      }
      const int column = from_ == nullptr ? -1 : filled_from(padding_.fill, x - padding_.left, width_);
      if (column < 0) {
        std::memcpy(at(x), constant.data(), constant.size());
      } else {
        std::memcpy(at(x), from_ + offset(column), step_);
      }
      ++x;
    }
  }

 private:
  static std::size_t bytes(const PassOps& pass, int t, int plane) {
    return static_cast<std::size_t>(plane) * static_cast<std::size_t>(pass.layout(t).plane_stride) * sizeof(float);
  }
  std::size_t offset(int columns) const { return static_cast<std::size_t>(columns) * step_; }
  std::byte* at(int x) const { return to_ + offset(x); }

  const Padding& padding_;
  int width_;
  std::size_t step_;
  std::byte* to_;
  const std::byte* from_ = nullptr;  // null: a row of the constant
};

/// The bytes of a pixel: those of its channels, or of one plane's value.
std::vector<std::byte> constant_pixel(const PassOps& pass, const Op& op) {
  const int t = op.output;
  const float value = std::get<Padding>(op.own).value;
  const std::uint16_t half = compute::float_to_half(value);
  const std::size_t each = pass.element(t);
  const std::size_t channels = pass.tensor(t).planar ? 1 : static_cast<std::size_t>(pass.tensor(t).channels);
  std::vector<std::byte> pixel(channels * each);
  for (std::size_t c = 0; c < channels; ++c) {
    std::memcpy(pixel.data() + c * each, each == sizeof half ? static_cast<const void*>(&half) : &value, each);
  }
  return pixel;
}

void make_padding(PassOps& pass, int o, Rows rows) {
  const Op& op = pass.op(o);
  const int t = op.output;
  const int planes = pass.tensor(t).planar ? pass.tensor(t).channels : 1;
  const std::vector<std::byte> constant = constant_pixel(pass, op);
  pass.share((rows.last - rows.first) * planes, pass.extent(t).width, 64, [&](int row, int first, int last, int) {
    PaddedRow{pass, op, rows.first + row / planes, row % planes}.fill(first, last, constant);
  });
}

std::vector<DeviceCall> padding_calls(const Op& op, const DevicePart& part) {
  const auto& p = std::get<Padding>(op.own);
  const View& view = op.inputs[0];
  const vulkan::Rect& held = part.sources[0].held;
  DeviceCall call{.kernel = "padding", .vectors = (part.channels + 3) / 4};
  call.constants = {call.vectors, part.channels, static_cast<int>(p.fill)};
  for (const int number : {part.out.left - p.left, part.out.top - p.top, part.whole.width - p.left - p.right,
                           part.whole.height - p.top - p.bottom, view.left - held.left, view.top - held.top}) {
    call.push.push_back(vulkan::word(number));
  }
  call.push.insert(call.push.end(),
                   {vulkan::word(held.width()), vulkan::size_of(part.out), std::bit_cast<std::uint32_t>(p.value)});
  return {std::move(call)};
}

constexpr OpTraits kPadding{.name = "padding", .reads = padding_reads, .make = make_padding, .calls = padding_calls};

}  // namespace

Status Padding::lower(Lowering& to, const Layer& layer) const {
  const Value& in = to.value(layer.inputs[0]);
  if (in.parts.size() != 1) return to.unsupported("a padding of a concatenation");
  if (in.parts[0].gate >= 0) return to.unsupported("a padding of a gated input");
  if (std::fabs(value) > kLargestHalf) {
    return to.unsupported(fmt::format("a padding with {}; supported: up to {}", value, kLargestHalf));
  }
  Op o;
  o.kind = OpKind{&kPadding};
  o.inputs = in.parts;
  o.own = *this;
  to.emit(std::move(o), layer.outputs[0]);
  return ok();
}

}  // namespace weir::nn
