#include "enhance/precision_check.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "enhance/precision_verdict_cache.hpp"
#include "nn/cpu/runner.hpp"
#include "nn/reference.hpp"

namespace weir::enhance {

namespace {

using compute::Arithmetic;

constexpr int kVersion = 2;  // version of the check; raise it if the test picture or the kernels' rounding changes
constexpr double kMinPsnrDb = 55;  // int16 is good enough from this PSNR on
constexpr int kMaxDifference = 8;  // largest difference of a sample that is good enough, in steps of 1/255
/// Limit of the multiplications for the large test picture. They take about 50 ms on two cores with vector kernels.
constexpr double kMaxMultiplications = 1.6e10;
constexpr int kSide = 96;  // side of the large test picture in pixels
/// Sides of the test picture for larger networks, in pixels. The packed float32 weights of such a network need more
/// memory than most plans have. The reference implementation needs no packed weights, and computes such a small picture
/// in a second.
constexpr std::array kSmallSides{8, 16, 32, 64, 96};
/// Memory for rows of the test picture with which planning is tried first, although more would make the run faster.
constexpr Bytes kSmallRowMemory = 16_MiB;

/// Returns the value of channel c at (y, x) of the test picture. Its four quarters are noise, a checkerboard, bars of
/// saturated colours, and a ramp with a sharp disc.
float test_picture_value(int side, int c, int y, int x) {
  const int half = side / 2;
  if (y < half && x < half) {  // the noise is a hash of the position
    std::uint32_t h = static_cast<std::uint32_t>((c * side + y) * side + x) * 2654435761u;
    h = (h ^ (h >> 15)) * 2246822519u;
    return static_cast<float>((h >> 13) & 255u) / 255.0F;
  }
  if (y < half) return static_cast<float>((x + y) % 2);
  if (x < half) return static_cast<float>(((x / std::max(1, side / 16)) >> c) & 1);
  const int dy = y - half - half / 2;  // from the centre of the disc
  const int dx = x - half - half / 2;
  // The radius is the square root of 200 pixels, 14.1, if the side is 96.
  const bool is_in_disc = 96 * 96 * (dy * dy + dx * dx) < 200 * side * side;
  return is_in_disc ? 1.0F - 0.4F * static_cast<float>(c) : static_cast<float>(x - half) / static_cast<float>(half);
}

/// Delivers the test picture as the input of a network, with a reflected border.
class TestPictureRows final : public nn::InputRows {
 public:
  explicit TestPictureRows(const Geometry& geometry) : geometry_{geometry} {}
  Status rewind() override { return ok(); }
  Status fill(const nn::PlanarRows& rows) override {
    const int side = geometry_.width;
    for (int i = 0; i < rows.count; ++i) {
      const int y = reflect(rows.first + i - geometry_.border, side);
      for (int c = 0; c < rows.planes; ++c) {
        float* to = rows.row[static_cast<std::size_t>(i)] + c * rows.plane_stride;
        for (int x = 0; x < rows.width; ++x)
          to[x] = test_picture_value(side, c, y, reflect(x - geometry_.border, side));
      }
    }
    return ok();
  }

 private:
  Geometry geometry_;
};

/// Returns true if the large test picture would take noticeable time with this network.
bool is_large(const nn::Network& network) {
  const Geometry geometry = geometry_of(network.family, kSide, kSide);
  return network.multiplications_per_pixel * geometry.input_width * geometry.input_height > kMaxMultiplications;
}

compute::ElementType element_type_of(Arithmetic arithmetic) {
  return arithmetic == Arithmetic::int16 ? compute::ElementType::float16 : compute::ElementType::float32;
}

/// Plans within kSmallRowMemory if that is possible, otherwise within `memory`.
Result<nn::StripPlan> plan_rows(const PrecisionCheckContext& context, const Geometry& geometry, Arithmetic arithmetic,
                                Bytes memory) {
  const nn::Graph& graph = context.network.graph;
  const nn::Extent input{geometry.input_height, geometry.input_width};
  nn::PlanLimits limits;
  limits.memory = std::min(memory, kSmallRowMemory);
  auto plan = nn::plan_single_strip(graph, context.program, input, element_type_of(arithmetic), limits);
  if (plan || plan.error().code != Errc::over_budget || memory <= kSmallRowMemory) return plan;
  limits.memory = memory;
  return nn::plan_single_strip(graph, context.program, input, element_type_of(arithmetic), limits);
}

/// Returns the geometry of the test picture: of side kSide, or for a large network of the smallest side in kSmallSides
/// that the network accepts.
Result<Geometry> choose_geometry(const nn::Network& network) {
  if (!is_large(network)) return geometry_of(network.family, kSide, kSide);
  Status problem = ok();
  for (const int side : kSmallSides) {
    const Geometry geometry = geometry_of(network.family, side, side);
    auto fits = nn::infer_extents(network.graph, {geometry.input_height, geometry.input_width});
    if (fits) return geometry;
    problem = fits.error();
  }
  return problem.error();
}

/// Returns how many values the network's result has at most, border included.
std::size_t result_values(const nn::Network& network, const Geometry& geometry) {
  const auto scale = static_cast<std::size_t>(std::max(1, network.family.scale));
  return 3 * scale * scale * static_cast<std::size_t>(geometry.input_width) *
         static_cast<std::size_t>(geometry.input_height);
}

/// Runs the network on the test picture. Returns the result, border included, as rows [y][c][x].
Result<std::vector<float>> run_test_picture(const PrecisionCheckContext& context, const Geometry& geometry,
                                            const nn::StripPlan& plan, compute::ThreadTeam& team,
                                            Arithmetic arithmetic) {
  auto runner = nn::Runner::create(context.network.graph, context.program, plan, context.kernels, team, {});
  if (!runner) return runner.error();
  const nn::PackedWeights packed =
      nn::pack_weights(context.network.graph, context.program, context.kernels, arithmetic);
  TestPictureRows input{geometry};
  std::vector<float> result;
  result.reserve(result_values(context.network, geometry));
  const auto append_rows = [&](const nn::PlanarRows& rows) -> Status {
    for (int i = 0; i < rows.count; ++i) {
      for (int c = 0; c < rows.planes; ++c) {
        const float* from = rows.row[static_cast<std::size_t>(i)] + c * rows.plane_stride;
        result.insert(result.end(), from, from + rows.width);
      }
    }
    return ok();
  };
  if (auto status = runner->run(packed, input, append_rows, {}); !status) return status.error();
  return result;
}

/// Computes the result of the test picture in float32 with the reference implementation. Reorders it from [c][y][x] to
/// rows [y][c][x], as run_test_picture() returns them.
Result<std::vector<float>> run_reference(const nn::Network& network, const Geometry& geometry) {
  compute::Planes picture{network.graph.blobs[static_cast<std::size_t>(network.graph.input)].channels,
                          geometry.input_height, geometry.input_width};
  for (int c = 0; c < picture.channels; ++c) {
    for (int y = 0; y < picture.height; ++y) {
      for (int x = 0; x < picture.width; ++x) {
        picture.at(c, y, x) = test_picture_value(geometry.width, c, reflect(y - geometry.border, geometry.height),
                                                 reflect(x - geometry.border, geometry.width));
      }
    }
  }
  const auto planes = nn::run_reference(network.graph, std::move(picture));
  if (!planes) return planes.error();
  const auto is_finite = [](float value) { return std::isfinite(value); };
  if (!std::all_of(planes->values.begin(), planes->values.end(), is_finite))
    return Error{Errc::bad_values, network.name + ": a value that is not a number, in float32"};
  std::vector<float> result;
  for (int y = 0; y < planes->height; ++y) {
    for (int c = 0; c < planes->channels; ++c) {
      for (int x = 0; x < planes->width; ++x) result.push_back(planes->at(c, y, x));
    }
  }
  return result;
}

/// Returns an upper limit of the memory of run_reference(): the size of all blobs, although it frees a blob after the
/// last layer that reads it.
Result<Bytes> reference_bytes(const nn::Graph& graph, const Geometry& geometry) {
  const auto extents = nn::infer_extents(graph, {geometry.input_height, geometry.input_width});
  if (!extents) return extents.error();
  std::uint64_t values = 0;
  for (std::size_t b = 0; b < extents->size(); ++b) {
    const nn::Extent extent = (*extents)[b];
    values += static_cast<std::uint64_t>(graph.blobs[b].channels) *
              static_cast<std::uint64_t>(std::max(1, extent.height)) *
              static_cast<std::uint64_t>(std::max(1, extent.width));
  }
  return Bytes{values * sizeof(float)};
}

/// Compares two results of the test picture, after rounding them to 8-bit samples.
PrecisionVerdict compare(const std::vector<float>& exact, const std::vector<float>& fast) {
  PrecisionVerdict verdict;
  double squares = 0;
  for (std::size_t i = 0; i < exact.size(); ++i) {
    const int a = static_cast<int>(std::lround(std::clamp(exact[i], 0.0F, 1.0F) * 255.0F));
    const int b = static_cast<int>(std::lround(std::clamp(fast[i], 0.0F, 1.0F) * 255.0F));
    verdict.max_difference = std::max(verdict.max_difference, std::abs(a - b));
    squares += static_cast<double>(a - b) * (a - b);
  }
  verdict.psnr_db = squares == 0 ? 99 : 10 * std::log10(255.0 * 255.0 * static_cast<double>(exact.size()) / squares);
  verdict.good_enough = verdict.psnr_db >= kMinPsnrDb && verdict.max_difference <= kMaxDifference;
  return verdict;
}

}  // namespace

Result<PrecisionCheck> PrecisionCheck::plan(const PrecisionCheckContext& context, int threads, Bytes memory) {
  auto geometry = choose_geometry(context.network);
  if (!geometry) return geometry.error();
  PrecisionCheck check;
  check.geometry_ = *geometry;
  const Bytes scratch = nn::Runner::scratch_bytes(context.program, context.network.graph, context.kernels, threads);
  const Bytes results{2 * sizeof(float) * result_values(context.network, *geometry)};
  check.by_reference_ = is_large(context.network);
  if (check.by_reference_) {
    const auto planes = reference_bytes(context.network.graph, *geometry);
    if (!planes) return planes.error();
    check.need_ = *planes + results;
  }
  for (const Arithmetic arithmetic : {Arithmetic::float32, Arithmetic::int16}) {
    if (check.by_reference_ && arithmetic == Arithmetic::float32) continue;
    const Bytes without_rows =
        scratch + results + nn::packed_bytes(context.program, context.network.graph, context.kernels, arithmetic);
    auto rows = plan_rows(context, *geometry, arithmetic, memory - std::min(memory, without_rows));
    if (!rows) {
      std::string what = fmt::format("{}: whether int16 arithmetic is exact enough cannot be checked: {}",
                                     context.network.name, rows.error().what);
      if (rows.error().code == Errc::over_budget)
        what += fmt::format(" ({} taken by weights and threads); raise --ram", to_text(without_rows));
      return Error{rows.error().code, std::move(what)};
    }
    check.need_ = std::max(check.need_, without_rows + rows->arena);
    (arithmetic == Arithmetic::int16 ? check.fast_ : check.exact_) = *std::move(rows);
  }
  return check;
}

Result<PrecisionVerdict> PrecisionCheck::run(const PrecisionCheckContext& context, compute::ThreadTeam& team) const {
  const std::uint64_t key = verdict_key(context.network.graph, context.kernels, kVersion);
  if (const auto known = load_verdict(key)) return *known;
  const auto exact = by_reference_ ? run_reference(context.network, geometry_)
                                   : run_test_picture(context, geometry_, exact_, team, Arithmetic::float32);
  if (!exact) return exact.error();
  const auto fast = run_test_picture(context, geometry_, fast_, team, Arithmetic::int16);
  if (!fast && fast.error().code != Errc::bad_values) return fast.error();
  const PrecisionVerdict verdict = fast ? compare(*exact, *fast) : PrecisionVerdict{};
  save_verdict(key, verdict);
  return verdict;
}

}  // namespace weir::enhance
