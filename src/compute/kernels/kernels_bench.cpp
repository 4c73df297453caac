#include <benchmark/benchmark.h>

#include <random>
#include <string>

#include "compute/half.hpp"
#include "compute/kernels/kernels.hpp"

namespace weir::compute {
namespace {

/// One row of tiles, 64 to 64 channels, as a band of a network does it; the counter is the direct convolution's
/// multiplications, to be held against the machine's peak.
void BM_conv3x3(benchmark::State& state, const Kernels& kernels, Arithmetic arithmetic) {
  const int channels = static_cast<int>(state.range(0));
  const int tiles = 60;
  const int pixels = 4 * tiles + 8;
  std::mt19937 random{1};
  std::normal_distribution<float> normal;
  std::vector<float> weight(static_cast<std::size_t>(channels) * channels * 9);
  for (float& w : weight) w = normal(random) * 0.05F;
  const PackedMatrix matrix = pack_conv3x3(kernels, arithmetic, channels, channels, weight.data());
  EpilogueWeights epilogue{AlignedArray<float>(static_cast<std::size_t>(channels)), AlignedArray<float>(static_cast<std::size_t>(channels))};
  const bool half = arithmetic == Arithmetic::int16;
  const std::size_t element = half ? 2 : 4;
  const std::size_t row = static_cast<std::size_t>(pixels) * channels * element;
  AlignedArray<std::byte> input(row * 6);
  AlignedArray<std::byte> output(row * 4);
  for (std::size_t i = 0; i < row * 6 / element; ++i) {
    const float value = normal(random);
    if (half) reinterpret_cast<std::uint16_t*>(input.data())[i] = float_to_half(value);
    else reinterpret_cast<float*>(input.data())[i] = value;
  }
  AlignedArray<std::byte> scratch(kernels.conv3x3_scratch(channels));
  std::vector<SourceBlock<6>> blocks(static_cast<std::size_t>(channels) / 32);
  for (std::size_t b = 0; b < blocks.size(); ++b) {
    for (std::size_t k = 0; k < 6; ++k) blocks[b].rows[k] = input.data() + k * row + b * 32 * element;
    blocks[b].stride = channels;
  }
  bool bad = false;
  Conv3x3Job job;
  job.matrix = &matrix;
  job.epilogue = &epilogue;
  job.storage = half ? Storage::half : Storage::single;
  job.blocks = blocks.data();
  job.tiles = tiles;
  job.columns = 4 * tiles;
  for (std::size_t r = 0; r < 4; ++r) job.out[r] = output.data() + r * row;
  job.target.stride = channels;
  job.scratch = scratch.data();
  job.bad = &bad;
  for (auto _ : state) kernels.conv3x3(job);
  state.counters["MAC/s"] = benchmark::Counter(static_cast<double>(state.iterations()) * tiles * 16 * channels * channels * 9,
                                               benchmark::Counter::kIsRate);
}

int register_all() {
  for (const Kernels* kernels : available_kernels()) {
    for (const Arithmetic arithmetic : {Arithmetic::int16, Arithmetic::float32}) {
      const std::string name = "conv3x3_" + std::string{kernels->name} + (arithmetic == Arithmetic::int16 ? "_int16" : "_float32");
      benchmark::RegisterBenchmark(name.c_str(), BM_conv3x3, *kernels, arithmetic)->ArgName("channels")->Arg(64)->Arg(128);
    }
  }
  return 0;
}
const int kRegistered = register_all();

}  // namespace
}  // namespace weir::compute
