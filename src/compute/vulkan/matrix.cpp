#include "compute/vulkan/matrix.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace weir::compute::vulkan {

namespace {

constexpr std::uint32_t kMostGroups = 65535;  // on an axis, on every device

std::uint32_t groups(std::uint32_t n, std::uint32_t per_group) { return (n + per_group - 1) / per_group; }
std::uint32_t flag(bool value) { return value ? 1 : 0; }

Error mismatch(const char* operation, const Matrix& a, const Matrix& b) {
  return {Errc::invalid_argument,
          fmt::format("{}: [{}, {}] and [{}, {}]", operation, a.rows, a.columns, b.rows, b.columns)};
}

bool alike(const Matrix& a, const Matrix& b) { return a.rows == b.rows && a.columns == b.columns; }
bool empty(const Matrix& a) { return a.rows == 0 || a.columns == 0; }

/// Groups of `side` x `side`, columns first.
Status dispatch_over(Stream& stream, Dispatch& dispatch, const Matrix& over, std::uint32_t side) {
  dispatch.groups = {groups(over.columns, side), groups(over.rows, side), 1};
  if (dispatch.groups[0] > kMostGroups || dispatch.groups[1] > kMostGroups)
    return Error{Errc::invalid_argument, fmt::format("a matrix of [{}, {}] is too large", over.rows, over.columns)};
  return stream.dispatch(dispatch);
}

}  // namespace

Status matmul(Stream& stream, const Matrix& a, const Matrix& b, const Matrix& c, MatmulOptions options) {
  const std::uint32_t m = options.transposed_a ? a.columns : a.rows;
  const std::uint32_t k = options.transposed_a ? a.rows : a.columns;
  const std::uint32_t inner = options.transposed_b ? b.columns : b.rows;
  const std::uint32_t n = options.transposed_b ? b.rows : b.columns;
  if (k != inner || empty(a) || empty(b)) return mismatch("matmul of", a, b);
  if (c.rows != m || c.columns != n) return mismatch("matmul into", Matrix{{}, m, n}, c);
  Dispatch dispatch;
  dispatch.kernel = {"matmul", {flag(options.transposed_a), flag(options.transposed_b), flag(options.add)}};
  dispatch.source(0, a.slice).source(1, b.slice);
  if (options.add)
    dispatch.change(Place::target, c.slice);
  else
    dispatch.write(Place::target, c.slice);
  // A large product is recorded in rows, so that no submission becomes a long one.
  const double per_row = static_cast<double>(n) * k;
  const auto most =
      static_cast<std::uint32_t>(std::clamp(options.most_multiplications / per_row, 16.0, 65536.0)) / 16 * 16;
  for (std::uint32_t first = 0; first < m; first += most) {
    const std::uint32_t rows = std::min(most, m - first);
    dispatch.constants(std::array{m, n, k, first});
    dispatch.multiplications = per_row * rows;
    if (auto recorded = dispatch_over(stream, dispatch, {{}, rows, n}, 16); !recorded) return recorded;
  }
  return ok();
}

Status transpose(Stream& stream, const Matrix& in, const Matrix& out) {
  if (in.rows != out.columns || in.columns != out.rows || empty(in)) return mismatch("transpose", in, out);
  Dispatch dispatch;
  dispatch.kernel = {"transpose", {}};
  dispatch.source(0, in.slice).write(Place::target, out.slice).constants(std::array{in.rows, in.columns});
  return dispatch_over(stream, dispatch, in, 8);
}

Status add_bias(Stream& stream, const Matrix& in, const Matrix& bias, const Matrix& out) {
  if (!alike(in, out) || empty(in)) return mismatch("add_bias", in, out);
  if (bias.rows != 1 || bias.columns != in.columns) return mismatch("add_bias", in, bias);
  Dispatch dispatch;
  dispatch.kernel = {"add_bias", {}};
  dispatch.source(0, in.slice).source(1, bias.slice).write(Place::target, out.slice);
  dispatch.constants(std::array{in.rows, in.columns});
  return dispatch_over(stream, dispatch, in, 8);
}

Status elementwise(Stream& stream, Elementwise operation, const Matrix& a, const Matrix& b, const Matrix& out) {
  const bool two = operation == Elementwise::add || operation == Elementwise::mul;
  if (!alike(a, out) || empty(a)) return mismatch("elementwise", a, out);
  if (two && !alike(a, b)) return mismatch("elementwise", a, b);
  Dispatch dispatch;
  dispatch.kernel = {"elementwise", {static_cast<std::uint32_t>(operation)}};
  dispatch.source(0, a.slice);
  if (two) dispatch.source(1, b.slice);
  const std::uint32_t count = a.rows * a.columns;
  dispatch.write(Place::target, out.slice).constants(count);
  dispatch.groups = {std::min(groups(count, 64), kMostGroups), 1, 1};
  return stream.dispatch(dispatch);
}

Status reduce(Stream& stream, Along along, const Matrix& in, const Matrix& out, float factor) {
  const std::uint32_t outputs = along == Along::rows ? in.rows : in.columns;
  if (out.rows != 1 || out.columns != outputs || empty(in)) return mismatch("reduce", in, out);
  struct {
    std::uint32_t rows, columns;
    float factor;
  } const push{in.rows, in.columns, factor};
  Dispatch dispatch;
  dispatch.kernel = {"reduce", {flag(along == Along::columns)}};
  dispatch.source(0, in.slice).write(Place::target, out.slice).constants(push);
  dispatch.groups = {std::min(outputs, kMostGroups), 1, 1};
  return stream.dispatch(dispatch);
}

Status zero(Stream& stream, const Matrix& matrix) { return stream.fill(matrix.slice, 0); }

}  // namespace weir::compute::vulkan
