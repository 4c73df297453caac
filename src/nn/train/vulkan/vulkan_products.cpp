#include <algorithm>
#include <array>

#include "nn/train/vulkan/vulkan_work.hpp"

namespace weir::nn::train {

using compute::vulkan::Place;

namespace {

constexpr double kMostMultiplications = 2e9;  // of a run, so that none becomes a long one
constexpr std::uint32_t kDepth = 16;          // of the pieces in shared memory: see product.comp

std::uint32_t pieces(std::uint32_t count, std::uint32_t each) { return (count + each - 1) / each; }
int taps(const WindowShape& s) { return s.window.kernel * s.window.kernel; }

enum class Kind : std::uint32_t { product, convolve, back, weights };

}  // namespace

/// A run of product.comp.
struct VulkanWork::Factors {
  Factors(Kind which, Operand left, Operand right, Operand result, std::array<int, 3> sizes, bool accumulates)
      : kind{which}, a{slice(left)}, b{slice(right)}, out{slice(result)} {
    push.m = word(sizes[0]);
    push.n = word(sizes[1]);
    push.k = word(sizes[2]);
    push.accumulate = accumulates ? 1 : 0;
  }

  Kind kind;
  Slice a, b, bias{}, out;
  bool transpose_a = false, transpose_b = false;
  struct {
    std::uint32_t m = 0, n = 0, k = 0, k_each = 0;
    std::uint32_t first_tile = 0, end_tile = 0, tiles_across = 0;
    std::uint32_t has_bias = 0, accumulate = 0;
    std::uint32_t grid_h = 1, grid_w = 1, from_h = 1, from_w = 1, from_c = 1, kernel = 1, stride = 1;
    std::int32_t padding = 0;
  } push;

  void set_bias(Operand operand) {
    push.has_bias = operand ? 1 : 0;
    if (operand) bias = slice(operand);
  }
  void set_window(const WindowShape& s) {
    const bool back = kind == Kind::back;
    push.grid_h = word(back ? s.in_h : s.out_h);
    push.grid_w = word(back ? s.in_w : s.out_w);
    push.from_h = word(back ? s.out_h : s.in_h);
    push.from_w = word(back ? s.out_w : s.in_w);
    push.from_c = word(back ? s.out_c : s.in_c);
    push.kernel = word(s.window.kernel);
    push.stride = word(s.window.stride);
    push.padding = s.window.padding;
  }
  /// Invocations of a group side by side; a narrow result gets narrow tiles.
  std::uint32_t across() const { return push.n <= 16 ? 4 : push.n <= 32 ? 8 : 16; }
  std::uint32_t tile_columns() const { return 4 * across(); }
  std::uint32_t tile_rows() const { return 512 / across(); }
  std::uint32_t tiles() const { return pieces(push.m, tile_rows()) * pieces(push.n, tile_columns()); }
  /// How many share k out: a small result of a long sum has too few tiles to keep a device busy. By the sizes alone.
  std::uint32_t parts() const {
    constexpr std::uint32_t kGroups = 512, kShortest = 256;
    if (push.has_bias != 0 || push.k < 2 * kShortest || tiles() > kGroups / 2) return 1;
    return std::min({push.k / kShortest, kGroups / tiles(), kMostGroups});
  }
  Dispatch dispatch() const {
    Dispatch made;
    const auto flag = [](bool set) { return set ? 1U : 0U; };
    made.kernel = {"product",
                   {static_cast<std::uint32_t>(kind), across(), flag(transpose_a), flag(transpose_b),
                    flag(kind == Kind::back && push.stride > 1)}};
    made.source(0, a).source(1, b);
    if (push.has_bias != 0) made.source(2, bias);
    if (push.accumulate != 0)
      made.change(Place::target, out);
    else
      made.write(Place::target, out);
    return made;
  }
};

Status VulkanWork::multiply(Factors& f) {
  if (f.push.m == 0 || f.push.n == 0) return ok();
  f.push.tiles_across = pieces(f.push.n, f.tile_columns());
  if (const std::uint32_t parts = f.parts(); parts > 1) return multiply_in_parts(f, parts);
  f.push.k_each = f.push.k;
  return multiply_tiles(f, 1);
}

// Each part makes a whole result; their sum, in order, is the result.
Status VulkanWork::multiply_in_parts(Factors& f, std::uint32_t parts) {
  f.push.k_each = pieces(pieces(f.push.k, parts), kDepth) * kDepth;
  parts = pieces(f.push.k, f.push.k_each);
  const std::size_t size = std::size_t{f.push.m} * f.push.n;
  auto memory = take(parts * size);
  if (!memory) return memory.error();
  const Between between{*this, *std::move(memory)};
  const RowsSum sum{.a = between.slice(parts * size),
                    .out = f.out,
                    .rows = parts,
                    .channels = size,
                    .accumulate = f.push.accumulate != 0};
  f.out = sum.a;
  f.push.accumulate = 0;
  if (auto done = multiply_tiles(f, parts); !done) return done;
  return sum_rows(sum);
}

Status VulkanWork::multiply_tiles(Factors& f, std::uint32_t parts) {
  Dispatch dispatch = f.dispatch();
  const std::uint32_t tiles = f.tiles();
  const double each = static_cast<double>(f.tile_rows()) * f.tile_columns() * std::max(1U, f.push.k);
  const auto most = static_cast<std::uint32_t>(std::clamp(kMostMultiplications / each, 1.0, 1e9));
  for (std::uint32_t first = 0; first < tiles; first += std::min(most, tiles - first)) {
    f.push.first_tile = first;
    f.push.end_tile = first + std::min(most, tiles - first);
    const std::uint32_t count = f.push.end_tile - first;
    dispatch.groups = {std::min(count, kMostGroups), parts, 1};
    dispatch.multiplications = each * count;
    if (auto done = run(dispatch.constants(f.push)); !done) return done;
  }
  return ok();
}

Status VulkanWork::product(const Product& c) {
  Factors f{Kind::product, c.a, c.b, c.out, {c.rows, c.columns, c.inner}, c.accumulate};
  f.transpose_a = c.transpose_a;
  f.transpose_b = c.transpose_b;
  f.set_bias(c.bias);
  return multiply(f);
}

Status VulkanWork::convolve(const Convolve& c) {
  const WindowShape& s = c.shape;
  const int pixels = s.images * s.out_h * s.out_w;
  if (s.window == Window{})
    return product({c.in, c.weights, c.bias, c.out, pixels, s.out_c, s.in_c, false, false, c.accumulate});
  Factors f{Kind::convolve, c.in, c.weights, c.out, {pixels, s.out_c, taps(s) * s.in_c}, c.accumulate};
  f.set_bias(c.bias);
  f.set_window(s);
  return multiply(f);
}

Status VulkanWork::convolve_back(const ConvolveBack& c) {
  const WindowShape& s = c.shape;
  const int pixels = s.images * s.in_h * s.in_w;
  if (s.window == Window{}) {
    return product({c.out_gradient, c.weights, {}, c.in_gradient, pixels, s.in_c, s.out_c, false, true, c.accumulate});
  }
  Factors f{Kind::back, c.out_gradient, c.weights, c.in_gradient, {pixels, s.in_c, taps(s) * s.out_c}, c.accumulate};
  f.set_window(s);
  return multiply(f);
}

Status VulkanWork::convolve_weights(const ConvolveWeights& c) {
  const WindowShape& s = c.shape;
  const int pixels = s.images * s.out_h * s.out_w;
  if (s.window == Window{}) {
    return product({c.in, c.out_gradient, {}, c.weight_gradient, s.in_c, s.out_c, pixels, true, false, c.accumulate});
  }
  Factors f{Kind::weights, c.in, c.out_gradient, c.weight_gradient, {taps(s) * s.in_c, s.out_c, pixels}, c.accumulate};
  f.set_window(s);
  return multiply(f);
}

}  // namespace weir::nn::train
