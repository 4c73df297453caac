// Measures a Vulkan device: kernel by kernel, then whole pictures in memory, with upload and download.
//   weir_gpu_bench [--device NAME] [--runs N] [--side PIXELS] [NETWORK.param...]
//   weir_gpu_bench --count NETWORK.param...     counts the work and the bytes of a picture; needs no device
// The tables show medians of N runs (default 5). PIXELS is the side of the picture for the single convolutions (default
// 1024). The fractions refer to the limits of an NVIDIA H200 (measured elsewhere): memory 4.3 TB/s, float16 matrices
// 790 TFLOP/s.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/round_up.hpp"
#include "compute/half.hpp"
#include "compute/vulkan/kernel_comparison.hpp"
#include "nn/network.hpp"
#include "nn/vulkan/engine.hpp"
#include "nn/vulkan/gpu.hpp"
#include "nn/vulkan/session.hpp"
#include "nn/vulkan/tile.hpp"

namespace weir {
namespace {

using compute::vulkan::BindingSlot;
using compute::vulkan::Dispatch;
using compute::vulkan::MemoryKind;
using compute::vulkan::MemoryUsage;
using compute::vulkan::Slice;
using Clock = std::chrono::steady_clock;

constexpr double kMemoryBytesPerSecond = 4.3e12;
constexpr double kMatrixFlops = 790e12;  // float16 operations per second of the matrix units; a multiplication and the
                                         // addition after it are two operations
constexpr double kPlainFlops = 30e12;    // assumed operations per second of other kernels

[[noreturn]] void fail(const std::string& what) {
  std::fprintf(stderr, "error: %s\n", what.c_str());
  std::exit(1);
}
template <class T>
T value_or_exit(Result<T> result) {
  if (!result) fail(result.error().what);
  return *std::move(result);
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

/// Records `count` equal commands and waits for them, `runs` times. Returns the median of time / count, in seconds.
template <class Record>
double time_commands(compute::vulkan::Stream& stream, int runs, int count, Record&& record) {
  std::vector<double> times;
  for (int run = 0; run <= runs; ++run) {  // the first run is a warm-up
    const auto start = Clock::now();
    for (int i = 0; i < count; ++i) value_or_exit(record());
    value_or_exit(stream.sync());
    if (run > 0) times.push_back(std::chrono::duration<double>(Clock::now() - start).count() / count);
  }
  return median(times);
}

/// Prints a row of a table of kernels. The last column compares the time with the limits of the H200.
void print_row(const std::string& name, double seconds, double bytes, double multiplications) {
  const double min_seconds = std::max(bytes / kMemoryBytesPerSecond, 2 * multiplications / kMatrixFlops);
  fmt::print("| {} | {:.3f} | {:.1f} | {:.2f} | {:.2f} | {:.1f} |\n", name, seconds * 1e3, bytes * 1e-6,
             multiplications * 1e-9, 2e-12 * multiplications / seconds, 100 * min_seconds / seconds);
}

/// Push constants of a convolution: see conv.comp.
struct ConvPush {
  std::uint32_t part_offset[8]{}, part_extent[8]{};
  std::uint32_t target_extent = 0, rows = 0, residual_offset = 0, residual_width = 0;
  float alpha = 1, beta = 1;
};

/// Measures a 3x3 convolution of a side x side picture with `channels` input and output channels. `shader` is conv_ff
/// (float32), conv_hh (float16) or conv3x3_matrix (float16, on the matrix units); conv.comp and conv3x3_matrix.comp
/// document their constants, push constants and workgroups.
void measure_convolution(nn::vulkan::Session& session, const std::string& shader, std::uint32_t channels,
                         std::uint32_t side, int runs) {
  const bool half = shader != "conv_ff";
  const std::uint64_t element_bytes = half ? 2 : 4;
  const std::uint64_t picture_bytes = std::uint64_t{side} * side * channels * element_bytes;
  auto in = value_or_exit(session.pool().acquire(Bytes{picture_bytes}, MemoryKind::activations, MemoryUsage::device));
  auto out = value_or_exit(session.pool().acquire(Bytes{picture_bytes}, MemoryKind::activations, MemoryUsage::device));
  const std::uint64_t kernel_bytes = std::uint64_t{9} * channels * channels * element_bytes;
  auto weights = value_or_exit(session.pool().acquire(Bytes{kernel_bytes}, MemoryKind::weights, MemoryUsage::device));
  auto parameters =
      value_or_exit(session.pool().acquire(Bytes{8 * channels}, MemoryKind::weights, MemoryUsage::device));
  for (const auto* buffer : {&in, &weights, &parameters}) value_or_exit(session.stream().fill(slice_of(*buffer), 0));
  ConvPush push;
  // Pairs (x, y) of 16 bits each: the first tap is at (-1, -1), the source and the target have side x side pixels, and
  // all rows from row 0 on are computed.
  push.part_offset[0] = 0xFFFFFFFFU;
  push.part_extent[0] = push.target_extent = side | side << 16;
  push.rows = side << 16;
  Dispatch dispatch;
  dispatch.kernel = {shader, {3, 1, 1, channels / 4, 0, 0, 0, channels / 4, channels / 4, 0, 0, 0, 0, 0, 0, 0}};
  dispatch.source(0, slice_of(in))
      .read(BindingSlot::weights, slice_of(weights))
      .read(BindingSlot::parameters, slice_of(parameters));
  dispatch.write(BindingSlot::target, slice_of(out)).push_constants(push);
  dispatch.groups = {(side + 31) / 32, (side + 15) / 16, channels / 4};
  if (shader == "conv3x3_matrix") {
    dispatch.kernel.constants.push_back(4);
    dispatch.groups = {(side + 15) / 16, (side + 7) / 8, channels / 64};
  }
  const double multiplications = 9.0 * channels * channels * side * side;
  const double seconds = time_commands(session.stream(), runs, 10, [&] { return session.stream().dispatch(dispatch); });
  print_row(fmt::format("{} {}->{} {}x{}", shader, channels, channels, side, side), seconds,
            static_cast<double>(2 * picture_bytes + kernel_bytes), multiplications);
}

/// Measures a copy between two kinds of memory.
void measure_copy(nn::vulkan::Session& session, MemoryUsage from, MemoryUsage to, const char* name, int runs) {
  const Bytes size = 256_MiB;
  auto a = session.pool().acquire(size, MemoryKind::staging, from);
  auto b = session.pool().acquire(size, MemoryKind::staging, to);
  if (!a || !b) {
    fmt::print("| {} | not measured: no memory | | | | |\n", name);
    return;
  }
  const double seconds =
      time_commands(session.stream(), runs, 4, [&] { return session.stream().copy(slice_of(*a), slice_of(*b)); });
  // A copy within the device reads and writes its memory.
  const bool is_within_device = from == MemoryUsage::device && to == MemoryUsage::device;
  print_row(name, seconds, static_cast<double>(size.count()) * (is_within_device ? 2 : 1), 0);
}

/// A generated picture; every run gets the same rows.
class DrawnRows final : public nn::InputRows {
 public:
  Status rewind() override { return ok(); }
  Status fill(const nn::PlanarRows& rows) override {
    for (int i = 0; i < rows.count; ++i) {
      for (int c = 0; c < rows.planes; ++c) {
        float* to = rows.row[static_cast<std::size_t>(i)] + c * rows.plane_stride;
        for (int x = 0; x < rows.width; ++x)
          to[x] = static_cast<float>((x * 7 + (rows.first + i) * 13 + c * 50) % 256) / 255.0F;
      }
    }
    return ok();
  }
};

/// Returns the size of the network's input for a picture: each side rounded up as the family needs, plus the border.
nn::Extent input_of(const nn::Family& family, nn::Extent picture) {
  const auto grown = [&](int n) { return round_up(n, family.align) + 2 * family.border; };
  return {grown(picture.height), grown(picture.width)};
}

/// Returns the time in milliseconds that the project aims at for this network and picture; 0: there is no target.
double target_ms(const std::string& network, nn::Extent picture) {
  if (network == "up2x-conservative" && picture.width == 1200) return 15;
  if (network == "realesr-animevideov3-x2" && picture.width == 1920) return 10;
  return 0;
}

/// Sums over all runs of a kernel, with any constants.
struct KernelCost {
  int runs = 0;
  double seconds = 0, bytes = 0, multiplications = 0;
};

/// Measures the kernels of one picture, each dispatch alone. A large operation is recorded as several dispatches for
/// parts of its rows, which declare the same memory; its bytes are counted once.
void measure_kernels(const nn::vulkan::Gpu& gpu, const std::string& path, nn::Extent picture) {
  const auto network = value_or_exit(nn::load_network(path));
  const auto program = value_or_exit(nn::lower(network.graph));
  std::map<std::string, KernelCost> costs;
  std::vector<std::pair<VkBuffer, std::uint64_t>> last_uses;  // the memory of the dispatch before
  nn::vulkan::EngineSettings settings;
  settings.on_dispatch = [&](const Dispatch& dispatch, std::chrono::duration<double> time) {
    KernelCost& cost = costs[std::string{dispatch.kernel.shader}];
    std::vector<std::pair<VkBuffer, std::uint64_t>> uses;
    double bytes = 0;
    for (const auto& use : dispatch.bindings) {
      uses.emplace_back(use.slice.buffer, use.slice.offset);
      bytes += static_cast<double>(use.slice.size);
    }
    ++cost.runs;
    cost.seconds += time.count();
    cost.multiplications += dispatch.multiplications;
    if (uses != last_uses) cost.bytes += bytes;
    last_uses = std::move(uses);
  };
  auto engine = value_or_exit(nn::vulkan::Engine::create(network.graph, program, gpu.instance, gpu.info, settings));
  const auto plan = value_or_exit(
      engine->plan(input_of(network.family, picture), 64_GiB, nn::vulkan::sample_transfer(network.family)));
  const nn::vulkan::EngineOutput discarded_output{[](const nn::PlanarRows&) { return ok(); },
                                                  [](const nn::ByteRows&) { return ok(); }};
  std::vector<std::string> events;
  for (int run = 0; run < 2; ++run) {  // the first run compiles the kernels
    costs.clear();
    DrawnRows input;
    int rows = 0;
    value_or_exit(engine->run(plan, {}, input, discarded_output, {}, rows, events));
  }
  for (const auto& [name, cost] : costs)
    print_row(fmt::format("{} ({}x{}): {}, {} runs", network.name, picture.width, picture.height, name, cost.runs),
              cost.seconds, cost.bytes, cost.multiplications);
}

/// Measures a network on a picture in tiles of `tile` pixels; 0: the engine chooses the size.
void measure_network(const nn::vulkan::Gpu& gpu, const std::string& path, nn::Extent picture, int tile, int runs) {
  const auto network = value_or_exit(nn::load_network(path));
  const auto program = value_or_exit(nn::lower(network.graph));
  nn::vulkan::EngineSettings settings;
  settings.tile = tile;
  auto engine = value_or_exit(nn::vulkan::Engine::create(network.graph, program, gpu.instance, gpu.info, settings));
  const auto plan = value_or_exit(
      engine->plan(input_of(network.family, picture), 64_GiB, nn::vulkan::sample_transfer(network.family)));
  const nn::vulkan::EngineOutput discarded_output{[](const nn::PlanarRows&) { return ok(); },
                                                  [](const nn::ByteRows&) { return ok(); }};
  DrawnRows input;
  std::vector<double> times;
  std::vector<std::string> events;
  for (int run = 0; run <= runs; ++run) {
    const auto start = Clock::now();
    int rows = 0;
    value_or_exit(engine->run(plan, {}, input, discarded_output, {}, rows, events));
    if (run > 0) times.push_back(std::chrono::duration<double>(Clock::now() - start).count());
  }
  for (const std::string& event : events) fmt::print("event: {}\n", event);
  const double seconds = median(times);
  const auto memory = engine->memory();
  const auto limits = engine->limits({});
  const double target = target_ms(network.name, picture);
  const std::string target_text =
      target == 0 ? "-" : fmt::format("{:.0f} ms: {}", target, seconds * 1e3 <= target ? "reached" : "missed");
  fmt::print("| {} | {}x{} | {} | {} | {:.2f} | {:.1f} | {} | {:.1f} | {:.0f} | {:.0f} | {:.0f} |\n", network.name,
             picture.width, picture.height, plan.half ? "float16" : "float32",
             plan.one_tile ? "one" : fmt::format("{}{}", plan.tile, plan.copies_tiles ? ", copied" : ""), seconds * 1e3,
             1 / seconds, target_text, 2e-12 * plan.multiplications / seconds,
             static_cast<double>(plan.device_memory(limits).count()) / 1048576.0,
             static_cast<double>((memory.weights + memory.activations + memory.parameters +
                                  (limits.staging_on_device ? memory.staging : Bytes{}))
                                     .count()) /
                 1048576.0,
             static_cast<double>(memory.driver_reported.count()) / 1048576.0);
}

/// Prints the multiplications and the bytes of memory traffic for a picture in one tile, with float16 features. Assumes
/// that each tensor is written once, and read once by each op that uses it.
void count_network(const std::string& path, nn::Extent picture) {
  using nn::vulkan::Rect;
  const auto network = value_or_exit(nn::load_network(path));
  const auto program = value_or_exit(nn::lower(network.graph));
  const auto extents = value_or_exit(nn::infer_extents(network.graph, input_of(network.family, picture)));
  nn::vulkan::DevicePlan plan;
  plan.one_tile = true;
  plan.transfer = nn::vulkan::sample_transfer(network.family);
  for (const nn::ProgramTensor& tensor : program.tensors)
    plan.extents.push_back(extents[static_cast<std::size_t>(tensor.blob)]);
  const auto& extent = plan.extents;
  const Rect result = nn::vulkan::full_rect(extent[static_cast<std::size_t>(program.output)]);
  const auto goals =
      nn::vulkan::tile_outputs(program, plan, {-1, program.output, result.height(), result.width()}, result);
  const nn::vulkan::Tile tile = nn::vulkan::make_tile(program, extent, goals, true, compute::vulkan::kSliceAlignment);
  double bytes = 0;
  double on_matrices = 0, plain = 0;  // numbers of multiplications: on the matrix units, and of all other kernels
  const auto add_bytes = [&](int t, const Rect& rect) {
    bytes += static_cast<double>(nn::vulkan::pixel_bytes(program.tensors[static_cast<std::size_t>(t)], true).count()) *
             rect.height() * rect.width();
  };
  // The matrix kernel needs groups of 16 channels.
  const auto has_16_channel_groups = [&](int t) {
    return program.tensors[static_cast<std::size_t>(t)].channels % 16 == 0;
  };
  for (const nn::Op& op : program.ops) {
    const Rect& out = tile.regions[static_cast<std::size_t>(op.output)];
    if (out.empty()) continue;
    add_bytes(op.output, out);
    bool fits_matrix_kernel = op.kind == nn::OpKind::conv3x3 && has_16_channel_groups(op.output);
    for (std::size_t i = 0; i < op.inputs.size(); ++i) {
      const int t = op.inputs[i].tensor;
      add_bytes(t, nn::vulkan::input_rect(op, i, out, extent));
      fits_matrix_kernel = fits_matrix_kernel && has_16_channel_groups(t);
    }
    if (op.epilogue.has_residual) add_bytes(op.epilogue.residual.tensor, out);
    (fits_matrix_kernel ? on_matrices : plain) += op.multiplications * out.height() * out.width();
  }
  for (const nn::vulkan::TileOutput& goal : goals) {
    if (goal.kept_to_end) add_bytes(goal.tensor, goal.rect);  // the conversion to samples reads it
  }
  const Rect& input = tile.regions[static_cast<std::size_t>(nn::vulkan::input_tensor(program))];
  const auto megabytes = [](Bytes size) { return static_cast<double>(size.count()) * 1e-6; };
  fmt::print(
      "| {}x{} | {} | {:.2f} | {:.2f} | {:.1f} | {:.1f} ms | {:.1f} ms | {:.1f} ms | {:.1f} ({:.1f}) | {:.1f} ({:.1f}) "
      "|\n",
      picture.width, picture.height, network.name, on_matrices * 1e-12, plain * 1e-12, bytes * 1e-9,
      2e3 * on_matrices / kMatrixFlops, 1e3 * bytes / kMemoryBytesPerSecond, 2e3 * plain / kPlainFlops,
      megabytes(nn::vulkan::upload_bytes(input, true)), megabytes(nn::vulkan::upload_bytes(input, false)),
      megabytes(nn::vulkan::download_bytes(result, true)), megabytes(nn::vulkan::download_bytes(result, false)));
}

/// Reads the arguments, and measures or counts everything. Returns the exit status.
int measure(int argc, char** argv) {
  // Prints each line at once, so that results are visible if the run is interrupted.
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  std::string device = "gpu";
  int runs = 5;
  int side = 1024;
  bool count = false;
  std::vector<std::string> networks;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--device" && i + 1 < argc)
      device = argv[++i];
    else if (word == "--runs" && i + 1 < argc)
      runs = std::max(1, static_cast<int>(std::strtol(argv[++i], nullptr, 10)));
    else if (word == "--side" && i + 1 < argc)
      side = std::max(16, static_cast<int>(std::strtol(argv[++i], nullptr, 10)));
    else if (word == "--count")
      count = true;
    else
      networks.push_back(word);
  }
  if (count) {
    fmt::print(
        "| picture | network | 1e12 mult. on matrices | 1e12 mult. plain | GB of features | matrices, least | "
        "memory, least | plain at 30 TFLOP/s | MB up (as float32) | MB down (as float32) |\n"
        "|---|---|---|---|---|---|---|---|---|---|\n");
    for (const std::string& network : networks) {
      count_network(network, {1800, 1200});
      count_network(network, {1080, 1920});
    }
    return 0;
  }
  const auto gpu = value_or_exit(nn::vulkan::find_gpu(device));
  fmt::print("device: {}\ndriver: {}\n", describe(gpu->info), gpu->info.driver);
  fmt::print(
      "float16 in buffers: {}; cooperative matrices: {}; subgroups of {}; {} of shared memory; buffers up to {}\n",
      gpu->info.has_half_storage, gpu->info.has_cooperative_matrix, gpu->info.subgroup_size,
      to_text(gpu->info.shared_memory), to_text(gpu->info.max_buffer_range));
  fmt::print("a queue of its own for copies: {}; timeline semaphores: {}\n", gpu->info.queues.has_transfer_queue(),
             gpu->info.has_timeline_semaphores);
  {
    auto session = value_or_exit(nn::vulkan::Session::open(gpu->instance, gpu->info, {}));
    std::vector<std::string> shaders{"conv_ff"};
    if (gpu->info.has_half_storage) shaders.emplace_back("conv_hh");
    if (gpu->info.has_cooperative_matrix) {
      const bool agree = value_or_exit(
          compute::vulkan::kernels_agree(session->pool(), session->stream(), "conv_hh", "conv3x3_matrix"));
      fmt::print("matrix kernel agrees with the plain one: {}\n", agree ? "yes" : "NO");
      shaders.emplace_back("conv3x3_matrix");
    }
    fmt::print(
        "\n### kernels\n\nThe limit is the larger of bytes at 4.3 TB/s and float16 products at 790 TFLOP/s.\n\n"
        "| kernel | ms | MB | 1e9 multiplications | TFLOP/s | % of the limit |\n|---|---|---|---|---|---|\n");
    for (const std::uint32_t channels : {64U, 128U}) {
      for (const std::string& shader : shaders)
        measure_convolution(*session, shader, channels, static_cast<std::uint32_t>(side), runs);
    }
    measure_copy(*session, MemoryUsage::device, MemoryUsage::device, "copy within the device", runs);
    measure_copy(*session, MemoryUsage::upload, MemoryUsage::device, "upload", runs);
    measure_copy(*session, MemoryUsage::device, MemoryUsage::download, "download", runs);
  }
  if (networks.empty()) {
    fmt::print("\nnetworks were not measured: none given\n");
    return 0;
  }
  fmt::print(
      "\n### networks, upload and download included, with 8-bit samples, files not\n\n"
      "| network | picture | precision | tile | ms | pictures/s | target | TFLOP/s | planned MiB | used MiB | driver's "
      "MiB |\n"
      "|---|---|---|---|---|---|---|---|---|---|---|\n");
  for (const std::string& network : networks) {
    for (const int tile : {0, 512}) {  // with several tiles, copies and computation overlap
      measure_network(*gpu, network, {1800, 1200}, tile, runs);
      measure_network(*gpu, network, {1080, 1920}, tile, runs);
    }
  }
  fmt::print(
      "\nPublished results of other programs: TensorRT on an RTX 4090, 1080p, 61.5 pictures/s with a 2x Compact "
      "network and 21.7 with "
      "Real-CUGAN 2x.\n"
      "\n### the kernels of these networks, each submitted alone; the time includes the wait\n\n"
      "| kernel | ms | MB | 1e9 multiplications | TFLOP/s | % of the limit |\n|---|---|---|---|---|---|\n");
  for (const std::string& network : networks) measure_kernels(*gpu, network, {1800, 1200});
  return 0;
}

}  // namespace
}  // namespace weir

int main(int argc, char** argv) { return weir::measure(argc, argv); }
