#pragma once

#include <cstdint>

#include "base/result.hpp"
#include "compute/vulkan/stream.hpp"

namespace weir::compute::vulkan {

/// A row-major matrix of float32 on a device; a view. Its slice is a multiple of 4 bytes.
struct Matrix {
  Slice slice;
  std::uint32_t rows = 0, columns = 0;
};

struct MatmulOptions {
  bool transposed_a = false, transposed_b = false;  ///< a is given as [k, m], b as [n, k]
  bool add = false;                                 ///< to what c holds
  double most_multiplications = 2e9;                ///< of one command: a larger product is recorded in rows
};
enum class Elementwise : std::uint32_t { add, mul, relu, sigmoid, tanh };
enum class Along { rows, columns };

/// What training needs of a device. Each records commands on the stream; nothing is waited for. Outputs must not overlap
/// inputs unless said otherwise.
/// Errors, of all: invalid_argument when extents do not fit; those of Stream::dispatch.

/// c = a * b. Source of the method: tiles in shared memory, as in Volkov and Demmel, SC 2008.
Status matmul(Stream& stream, const Matrix& a, const Matrix& b, const Matrix& c, MatmulOptions options = {});
/// [rows, columns] to [columns, rows].
Status transpose(Stream& stream, const Matrix& in, const Matrix& out);
/// Adds `bias` [1, columns] to each row; `out` may be `in`.
Status add_bias(Stream& stream, const Matrix& in, const Matrix& bias, const Matrix& out);
/// Of two matrices for add and mul; of one for the others, and then `b` is not looked at. `out` may be an input.
Status elementwise(Stream& stream, Elementwise operation, const Matrix& a, const Matrix& b, const Matrix& out);
/// factor * the sum of each row, [1, rows], or of each column, [1, columns].
Status reduce(Stream& stream, Along along, const Matrix& in, const Matrix& out, float factor = 1);
/// Every value becomes 0.
Status zero(Stream& stream, const Matrix& matrix);

}  // namespace weir::compute::vulkan
