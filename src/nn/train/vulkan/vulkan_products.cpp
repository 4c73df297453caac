// The functions of VulkanExecutor that product.comp computes: matrix products, and convolutions and their gradients,
// which are matrix products too.
#include <algorithm>
#include <array>

#include "nn/train/vulkan/vulkan_executor.hpp"

namespace weir::nn::train {

using compute::vulkan::BindingSlot;

namespace {

constexpr double kMaxMultiplications = 2e9;  // limit of a kernel run; a longer run could trigger the driver's watchdog
constexpr std::uint32_t kTileDepth = 16;     // DEPTH of product.comp: number of values of k that it processes at a time

std::uint32_t divide_up(std::uint32_t count, std::uint32_t divisor) { return (count + divisor - 1) / divisor; }
int taps(const WindowShape& s) { return s.window.kernel * s.window.kernel; }

/// The computations of product.comp, which uses the same numbers for them. Convolutions and their gradients are matrix
/// products in which `a` is read from a picture.
enum class ProductKind : std::uint32_t { product, convolve, input_gradient, weight_gradient };

}  // namespace

/// The inputs and constants of a run of product.comp: out [m, n] (+)= bias + matrix product of a [m, k] and b [k, n].
/// `push` has the push constants that product.comp declares (k_per_part is its k_each). The `sizes` of the constructor
/// are {m, n, k}.
struct VulkanExecutor::ProductJob {
  ProductJob(ProductKind product_kind, Operand left, Operand right, Operand result, std::array<int, 3> sizes,
             bool accumulates)
      : kind{product_kind}, a{slice(left)}, b{slice(right)}, out{slice(result)} {
    push.m = to_u32(sizes[0]);
    push.n = to_u32(sizes[1]);
    push.k = to_u32(sizes[2]);
    push.accumulate = accumulates ? 1 : 0;
  }

  ProductKind kind;
  Slice a, b, bias{}, out;
  bool transpose_a = false, transpose_b = false;
  struct {
    std::uint32_t m = 0, n = 0, k = 0, k_per_part = 0;
    std::uint32_t first_tile = 0, end_tile = 0, tiles_across = 0;
    std::uint32_t has_bias = 0, accumulate = 0;
    std::uint32_t grid_h = 1, grid_w = 1, from_h = 1, from_w = 1, from_c = 1, kernel = 1, stride = 1;
    std::int32_t padding = 0;
  } push;

  void set_bias(Operand operand) {
    push.has_bias = operand ? 1 : 0;
    if (operand) bias = slice(operand);
  }
  /// Sets the constants of a convolution or of one of its gradients. `from` is the picture that `a` is read from; the
  /// grid is the pixels that the window visits: the output, or the input if the input's gradient is computed.
  void set_window(const WindowShape& s) {
    const bool is_input_gradient = kind == ProductKind::input_gradient;
    push.grid_h = to_u32(is_input_gradient ? s.in_h : s.out_h);
    push.grid_w = to_u32(is_input_gradient ? s.in_w : s.out_w);
    push.from_h = to_u32(is_input_gradient ? s.out_h : s.in_h);
    push.from_w = to_u32(is_input_gradient ? s.out_w : s.in_w);
    push.from_c = to_u32(is_input_gradient ? s.out_c : s.in_c);
    push.kernel = to_u32(s.window.kernel);
    push.stride = to_u32(s.window.stride);
    push.padding = s.window.padding;
  }
  /// Returns the number of invocations along a row of a workgroup. A workgroup computes a tile of the result. It has 64
  /// invocations, each of which computes 8 rows and 4 columns of the tile; a narrow result has narrow tiles.
  std::uint32_t group_columns() const { return push.n <= 16 ? 4 : push.n <= 32 ? 8 : 16; }
  std::uint32_t tile_columns() const { return 4 * group_columns(); }
  std::uint32_t tile_rows() const { return 8 * (64 / group_columns()); }
  std::uint32_t count_tiles() const { return divide_up(push.m, tile_rows()) * divide_up(push.n, tile_columns()); }
  /// Returns the number of parts that the sum over k is divided into. If a small result has a long sum, its tiles are
  /// too few to keep a device busy; then different workgroups compute the parts. The parts are at least kMinPartLength
  /// long, and there are at most about kMaxPartGroups workgroups: with more than half of that many tiles, two parts
  /// would already exceed it. The number depends only on the sizes.
  std::uint32_t count_parts() const {
    constexpr std::uint32_t kMaxPartGroups = 512, kMinPartLength = 256;
    if (push.has_bias != 0 || push.k < 2 * kMinPartLength || count_tiles() > kMaxPartGroups / 2) return 1;
    return std::min({push.k / kMinPartLength, kMaxPartGroups / count_tiles(), kMaxGroups});
  }
  Dispatch make_dispatch() const {
    Dispatch made;
    const auto flag = [](bool set) { return set ? 1U : 0U; };
    made.kernel = {"product",
                   {static_cast<std::uint32_t>(kind), group_columns(), flag(transpose_a), flag(transpose_b),
                    flag(kind == ProductKind::input_gradient && push.stride > 1)}};
    made.source(0, a).source(1, b);
    if (push.has_bias != 0) made.source(2, bias);
    if (push.accumulate != 0)
      made.read_write(BindingSlot::target, out);
    else
      made.write(BindingSlot::target, out);
    return made;
  }
};

Status VulkanExecutor::run_product(ProductJob& job) {
  if (job.push.m == 0 || job.push.n == 0) return ok();
  job.push.tiles_across = divide_up(job.push.n, job.tile_columns());
  if (const std::uint32_t parts = job.count_parts(); parts > 1) return run_product_in_parts(job, parts);
  job.push.k_per_part = job.push.k;
  return run_product_tiles(job, 1);
}

// Each part produces a matrix [m, n] in scratch memory; the matrices are then added in order. The length of a part is a
// multiple of kTileDepth, so there may be fewer parts than requested.
Status VulkanExecutor::run_product_in_parts(ProductJob& job, std::uint32_t parts) {
  job.push.k_per_part = divide_up(divide_up(job.push.k, parts), kTileDepth) * kTileDepth;
  parts = divide_up(job.push.k, job.push.k_per_part);
  const std::size_t size = std::size_t{job.push.m} * job.push.n;
  auto memory = acquire(parts * size);
  if (!memory) return memory.error();
  const ScratchBuffer partial_products{*this, *std::move(memory)};
  const RowSumJob sum{.a = partial_products.slice(parts * size),
                      .out = job.out,
                      .rows = parts,
                      .channels = size,
                      .accumulate = job.push.accumulate != 0};
  job.out = sum.a;
  job.push.accumulate = 0;
  if (auto done = run_product_tiles(job, parts); !done) return done;
  return sum_rows(sum);
}

Status VulkanExecutor::run_product_tiles(ProductJob& job, std::uint32_t parts) {
  Dispatch dispatch = job.make_dispatch();
  const std::uint32_t tiles = job.count_tiles();
  const double tile_multiplications =
      static_cast<double>(job.tile_rows()) * job.tile_columns() * std::max(1U, job.push.k);
  const auto max_tiles = static_cast<std::uint32_t>(std::clamp(kMaxMultiplications / tile_multiplications, 1.0, 1e9));
  for (std::uint32_t first = 0; first < tiles; first += std::min(max_tiles, tiles - first)) {
    job.push.first_tile = first;
    job.push.end_tile = first + std::min(max_tiles, tiles - first);
    const std::uint32_t count = job.push.end_tile - first;
    dispatch.groups = {std::min(count, kMaxGroups), parts, 1};
    dispatch.multiplications = tile_multiplications * count;
    if (auto done = run(dispatch.push_constants(job.push)); !done) return done;
  }
  return ok();
}

Status VulkanExecutor::product(const MatrixProductCommand& c) {
  ProductJob job{ProductKind::product, c.a, c.b, c.out, {c.rows, c.columns, c.inner}, c.accumulate};
  job.transpose_a = c.transpose_a;
  job.transpose_b = c.transpose_b;
  job.set_bias(c.bias);
  return run_product(job);
}

Status VulkanExecutor::convolve(const ConvolveCommand& c) {
  const WindowShape& s = c.shape;
  const int pixels = s.images * s.out_h * s.out_w;
  if (s.window == Window{})
    return product({.a = c.in,
                    .b = c.weights,
                    .bias = c.bias,
                    .out = c.out,
                    .rows = pixels,
                    .columns = s.out_c,
                    .inner = s.in_c,
                    .accumulate = c.accumulate});
  ProductJob job{ProductKind::convolve, c.in, c.weights, c.out, {pixels, s.out_c, taps(s) * s.in_c}, c.accumulate};
  job.set_bias(c.bias);
  job.set_window(s);
  return run_product(job);
}

Status VulkanExecutor::convolve_back(const ConvolveBackCommand& c) {
  const WindowShape& s = c.shape;
  const int pixels = s.images * s.in_h * s.in_w;
  if (s.window == Window{}) {
    return product({.a = c.out_gradient,
                    .b = c.weights,
                    .bias = {},
                    .out = c.in_gradient,
                    .rows = pixels,
                    .columns = s.in_c,
                    .inner = s.out_c,
                    .transpose_b = true,
                    .accumulate = c.accumulate});
  }
  ProductJob job{ProductKind::input_gradient,         c.out_gradient, c.weights, c.in_gradient,
                 {pixels, s.in_c, taps(s) * s.out_c}, c.accumulate};
  job.set_window(s);
  return run_product(job);
}

Status VulkanExecutor::convolve_weights_back(const ConvolveWeightsBackCommand& c) {
  const WindowShape& s = c.shape;
  const int pixels = s.images * s.out_h * s.out_w;
  if (s.window == Window{}) {
    return product({.a = c.in,
                    .b = c.out_gradient,
                    .bias = {},
                    .out = c.weight_gradient,
                    .rows = s.in_c,
                    .columns = s.out_c,
                    .inner = pixels,
                    .transpose_a = true,
                    .accumulate = c.accumulate});
  }
  ProductJob job{ProductKind::weight_gradient,        c.in,        c.out_gradient, c.weight_gradient,
                 {taps(s) * s.in_c, s.out_c, pixels}, c.accumulate};
  job.set_window(s);
  return run_product(job);
}

}  // namespace weir::nn::train
