#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "nn/program.hpp"
#include "nn/row_schedule.hpp"
#include "nn/vulkan/tile.hpp"

namespace weir::nn {

class PassOps;

/// Part of an op's output, as a device is to make it.
struct DeviceOutput {
  vulkan::Rect region;
  Extent full_extent;  ///< of the output
  int channels = 0;    ///< of the output
  struct Source {
    vulkan::Rect region;  ///< what is there of the input's tensor
    int channels = 0;
  };
  std::vector<Source> sources;  ///< by input
};

/// One run of a kernel that reads one input and writes the output, four channels of a pixel in each invocation.
struct DeviceCall {
  std::string_view kernel;  ///< compute/kernels/*/X.comp, without its variant; in groups of 8 x 8 pixels
  std::size_t input = 0;
  std::vector<int> constants{};
  std::vector<std::uint32_t> push_constants{};
  int vector_count = 0;          ///< of four channels
  bool keeps_unwritten = false;  ///< what the run does not write stays
};

/// What the engines know of a kind of op; one for each, in the file of ops/ that is named after it.
struct OpTraits {
  std::string_view name;
  /// The rows (or columns) of a view that rows `out` need; without it as many, at the same places. May reach beyond the
  /// edges. From its first row on an op never goes back: the first row that is needed only grows with `out`.
  RowRange (*input_rows)(const Op& op, RowRange out, const AxisExtents& axis) = nullptr;
  /// The end of the step that begins at row `first`, of about `band` rows; without it multiples of the band.
  int (*step_end)(const Op& op, int first, int band) = nullptr;
  /// Makes rows of op number `o` on the CPU.
  void (*compute_rows)(PassOps& pass, int o, RowRange rows) = nullptr;
  /// The kernels that make a part on a device, one after the other. Without it the recorder has a way of its own for the
  /// kind (vulkan/recorder.cpp): where a kernel reads weights, gates or tables.
  std::vector<DeviceCall> (*device_calls)(const Op& op, const DeviceOutput& part) = nullptr;
};

}  // namespace weir::nn
