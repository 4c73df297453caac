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

/// The part of an op's output that a device (GPU) computes at once, and the parts of the inputs that it reads.
struct DeviceOutput {
  vulkan::Rect region;  ///< position and size of the part in the output
  Extent full_extent;   ///< extent of the whole output
  int channels = 0;     ///< channels of the output
  /// The part of one input that is in device memory.
  struct Source {
    vulkan::Rect region;  ///< region of the input's tensor that is available
    int channels = 0;     ///< channels of the input's tensor
  };
  std::vector<Source> sources;  ///< in the order of Op::inputs
};

/// One dispatch (Vulkan's term for one execution of a kernel) that reads one input and writes the output. Each
/// invocation of the kernel computes one vector: four channels of one pixel.
struct DeviceCall {
  std::string_view kernel;  ///< name of the kernel: X for compute/kernels/*/X.comp; its workgroups are 8 x 8 pixels
  std::size_t input = 0;    ///< index of the input in Op::inputs
  std::vector<int> constants{};                 ///< specialisation constants
  std::vector<std::uint32_t> push_constants{};  ///< push constants, in 32-bit words
  int vector_count = 0;                         ///< number of vectors that this call writes for each pixel
  bool keeps_unwritten = false;                 ///< true: output values that this call does not write must be preserved
};

/// The functions of one kind of op: a table of function pointers, null where a default applies. Each kind has one
/// object, in one of the files of ops/.
struct OpTraits {
  std::string_view name;
  /// Returns the rows (or columns) that output rows (or columns) `out` need of each input. They are counted in the
  /// input's view (TensorView: a tensor, possibly cropped), whose first row is row 0; they may exceed the edges of the
  /// view. Null: the same rows as `out`. The first needed row must never decrease when `out` moves down.
  RowRange (*input_rows)(const Op& op, RowRange out, const AxisExtents& axis) = nullptr;
  /// An op computes its output in steps of about `band` rows. Returns the end row of the step that begins at row
  /// `first`. Null: steps end at multiples of `band`.
  int (*step_end)(const Op& op, int first, int band) = nullptr;
  /// Computes rows of the op with index `o` on the CPU. Null for OpKind::input, whose rows come from the picture.
  void (*compute_rows)(PassOps& pass, int o, RowRange rows) = nullptr;
  /// Returns the kernel calls that compute a part of the output on a device, in order. Null: vulkan/recorder.cpp has
  /// its own code for this kind, because the kernel reads weights, gates or tables.
  std::vector<DeviceCall> (*device_calls)(const Op& op, const DeviceOutput& part) = nullptr;
};

}  // namespace weir::nn
