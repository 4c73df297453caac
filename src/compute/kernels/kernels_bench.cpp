// Measures the kernels of every instruction set on rows like those of a network. The counters:
//   multiplications   number per second of one core, counted as for a direct convolution
//   of_peak           this number as a fraction of the peak of the instruction set (peak_bench.hpp)
//   executed_of_peak  the same for the multiplications that are executed: Winograd's F(4x4, 3x3) executes a quarter
#include <benchmark/benchmark.h>

#include <map>
#include <random>
#include <string>
#include <utility>

#include "compute/half.hpp"
#include "compute/kernels/kernels.hpp"
#include "compute/kernels/peak_bench.hpp"

namespace weir::compute {
namespace {

constexpr int kColumns = 240;  // output columns: 60 tiles

/// The kernels and the random numbers that the benchmarks of one instruction set and arithmetic use.
struct Bench {
  Bench(const Kernels& k, Arithmetic a) : kernels{k}, arithmetic{a} {}
  const Kernels& kernels;
  Arithmetic arithmetic;
  std::mt19937 random{1};

  [[nodiscard]] ElementType element_type() const {
    return arithmetic == Arithmetic::int16 ? ElementType::float16 : ElementType::float32;
  }
  [[nodiscard]] std::size_t element_bytes() const { return element_type() == ElementType::float16 ? 2 : 4; }
  std::vector<float> small_values(std::size_t count) {
    std::normal_distribution<float> normal;
    std::vector<float> values(count);
    for (float& value : values) value = normal(random) * 0.05F;
    return values;
  }
  AlignedArray<std::byte> features(std::size_t count) {
    std::normal_distribution<float> normal;
    AlignedArray<std::byte> memory(count * element_bytes());
    for (std::size_t i = 0; i < count; ++i) {
      const float value = normal(random);
      if (element_type() == ElementType::float16)
        reinterpret_cast<std::uint16_t*>(memory.data())[i] = float_to_half(value);
      else
        reinterpret_cast<float*>(memory.data())[i] = value;
    }
    return memory;
  }
};
/// Returns an epilogue without bias and with ReLU: all biases and slopes are 0.
EpilogueWeights epilogue(int channels) {
  const auto count = static_cast<std::size_t>(channels);
  return {AlignedArray<float>(count), AlignedArray<float>(count)};
}

/// Returns the peak of the bench's instruction set, which the first call measures.
double peak_of(const Bench& bench, Arithmetic arithmetic) {
  static std::map<std::pair<std::string_view, Arithmetic>, double> peaks;
  const auto [entry, is_new] = peaks.try_emplace({bench.kernels.name, arithmetic});
  if (is_new) entry->second = measure_peak(bench.kernels.name, arithmetic);
  return entry->second;
}

/// Runs the benchmark loop and sets the counters. `multiplications` is the number of an iteration, counted as for a
/// direct convolution; `executed` is the number that an iteration executes. `peak` is 0 if it is not known.
template <class Work>
void measure(benchmark::State& state, double peak, double multiplications, double executed, Work&& work) {
  const double start = thread_seconds();
  for (auto _ : state) work();
  const double seconds_per_iteration = (thread_seconds() - start) / static_cast<double>(state.iterations());
  state.counters["multiplications"] =
      benchmark::Counter(multiplications * static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
  if (peak == 0) return;
  state.counters["of_peak"] = multiplications / seconds_per_iteration / peak;
  state.counters["executed_of_peak"] = executed / seconds_per_iteration / peak;
}

/// Measures one row of tiles of a 3x3 convolution.
void BM_conv3x3(benchmark::State& state, Bench bench) {
  const int channels = static_cast<int>(state.range(0));
  const int tiles = kColumns / 4;
  const std::size_t pixels = kColumns + 8;
  const auto weight = bench.small_values(static_cast<std::size_t>(channels) * channels * 9);
  const PackedMatrix matrix = pack_conv3x3(bench.kernels, bench.arithmetic, channels, channels, weight.data());
  const EpilogueWeights relu_epilogue = epilogue(channels);
  const std::size_t row_size = pixels * static_cast<std::size_t>(channels);  // in elements
  AlignedArray<std::byte> input = bench.features(row_size * 6);
  AlignedArray<std::byte> output(row_size * 4 * bench.element_bytes());
  AlignedArray<std::byte> scratch(bench.kernels.conv3x3_scratch(channels));
  std::vector<SourceBlock<6>> blocks(static_cast<std::size_t>(channels) / 32);
  for (std::size_t b = 0; b < blocks.size(); ++b) {
    for (std::size_t k = 0; k < 6; ++k)
      blocks[b].rows[k] = input.data() + (k * row_size + b * 32) * bench.element_bytes();
    blocks[b].pixel_stride = channels;
  }
  bool found_non_finite = false;
  Conv3x3Job job;
  job.matrix = &matrix;
  job.epilogue = &relu_epilogue;
  job.element_type = bench.element_type();
  job.blocks = blocks.data();
  job.tiles = tiles;
  job.columns = kColumns;
  for (std::size_t r = 0; r < 4; ++r) job.out[r] = output.data() + r * row_size * bench.element_bytes();
  job.target.pixel_stride = channels;
  job.scratch = scratch.data();
  job.found_non_finite = &found_non_finite;
  const double executed = 36.0 * tiles * channels * channels;
  measure(state, peak_of(bench, bench.arithmetic), 4 * executed, executed, [&] { bench.kernels.conv3x3(job); });
}

/// Measures the positions of one row (PatchJob): of a 2x2 convolution with stride 2 if `factor` is 1, of a transposed
/// 2x2 convolution with stride 2 if `factor` is 2.
void BM_patch(benchmark::State& state, Bench bench, int factor) {
  const int channels = static_cast<int>(state.range(0));
  const int kernel = factor == 1 ? 2 : 1;
  const int in = kernel * kernel * channels, out = factor * factor * channels;
  const int positions = kColumns / factor;
  const auto weight = bench.small_values(static_cast<std::size_t>(in) * out);
  const PackedMatrix matrix = pack_matrix(bench.kernels, bench.arithmetic, out, in, weight.data());
  const EpilogueWeights relu_epilogue = epilogue(out);
  const std::size_t in_row_size = static_cast<std::size_t>(positions) * kernel * channels;
  const std::size_t out_row_size = static_cast<std::size_t>(kColumns) * channels;
  AlignedArray<std::byte> input = bench.features(in_row_size * static_cast<std::size_t>(kernel));
  AlignedArray<std::byte> output(out_row_size * static_cast<std::size_t>(factor) * bench.element_bytes());
  AlignedArray<std::byte> scratch(bench.kernels.patch_scratch(in));
  bool found_non_finite = false;
  PatchJob job;
  job.matrix = &matrix;
  job.epilogue = &relu_epilogue;
  job.element_type = bench.element_type();
  job.channels = channels;
  job.kernel = kernel;
  job.stride = kernel;
  job.factor = factor;
  job.out_channels = channels;
  for (std::size_t k = 0; k < static_cast<std::size_t>(kernel); ++k)
    job.rows[k] = input.data() + k * in_row_size * bench.element_bytes();
  job.pixel_stride = channels;
  job.positions = positions;
  job.columns = kColumns;
  for (std::size_t k = 0; k < static_cast<std::size_t>(factor); ++k)
    job.out[k] = output.data() + k * out_row_size * bench.element_bytes();
  job.target.pixel_stride = channels;
  job.scratch = scratch.data();
  job.found_non_finite = &found_non_finite;
  const double multiplications = 1.0 * positions * in * out;
  measure(state, peak_of(bench, bench.arithmetic), multiplications, multiplications, [&] { bench.kernels.patch(job); });
}

/// Measures one row of the first layer of a network: a 3x3 convolution of three planes.
void BM_direct(benchmark::State& state, Bench bench) {
  const int channels = static_cast<int>(state.range(0));
  constexpr int kIn = 3, kKernel = 3, kWidth = kColumns + 8;
  const auto weight = bench.small_values(static_cast<std::size_t>(channels) * kIn * kKernel * kKernel);
  const AlignedArray<float> packed = pack_direct(channels, kIn, kKernel, weight.data());
  const EpilogueWeights relu_epilogue = epilogue(channels);
  const std::vector<float> input = bench.small_values(static_cast<std::size_t>(kIn) * kKernel * kWidth);
  AlignedArray<std::byte> output(static_cast<std::size_t>(kColumns) * channels * bench.element_bytes());
  DirectJob job;
  job.weights = packed.data();
  job.epilogue = &relu_epilogue;
  job.element_type = bench.element_type();
  job.in = kIn;
  job.kernel = kKernel;
  job.out = channels;
  job.out_padded = channels;
  for (std::size_t k = 0; k < kKernel; ++k) job.rows[k] = input.data() + k * kWidth;
  job.plane_stride = kKernel * kWidth;
  job.columns = kColumns;
  job.output = output.data();
  job.target.pixel_stride = channels;
  const double multiplications = 1.0 * kColumns * kIn * kKernel * kKernel * channels;
  measure(state, peak_of(bench, Arithmetic::float32), multiplications, multiplications,
          [&] { bench.kernels.direct(job); });
}

int register_all() {
  for (const Kernels* kernels : available_kernels()) {
    for (const Arithmetic arithmetic : {Arithmetic::int16, Arithmetic::float32}) {
      const Bench bench{*kernels, arithmetic};
      std::string suffix{kernels->name};
      suffix += arithmetic == Arithmetic::int16 ? "_int16" : "_float32";
      const auto add = [&](const char* name, auto function, auto... more) {
        std::string full_name{name};
        full_name += "_";
        full_name += suffix;
        return benchmark::RegisterBenchmark(full_name.c_str(), function, bench, more...)->ArgName("channels");
      };
      add("conv3x3", BM_conv3x3)->Arg(32)->Arg(64)->Arg(128);
      add("conv2x2", BM_patch, 1)->Arg(64);
      add("deconv2x2", BM_patch, 2)->Arg(64);
      add("direct", BM_direct)->Arg(64);
    }
  }
  return 0;
}
const int kRegistered = register_all();

}  // namespace
}  // namespace weir::compute
