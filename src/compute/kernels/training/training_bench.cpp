// Measures the matrix product as the training of a 3x3 convolution uses it (nn/train/cpu_convolution.cpp), with rows of
// 48 pixels: for the result (the gradient of the input has products of the same form) and for the gradient of the
// weights. `of_peak` is the speed as a fraction of the float32 peak of one core with this instruction set
// (peak_bench.hpp).
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "compute/kernels/kernels.hpp"
#include "compute/kernels/peak_bench.hpp"
#include "compute/kernels/training/training.hpp"

namespace weir::compute {
namespace {

constexpr int kPixels = 48;  // pixels of a row
constexpr int kRows = 4;     // rows that one product sums for the gradient of the weights

/// Runs the benchmark loop and sets the counters. One iteration runs the job `calls` times.
void run(benchmark::State& state, const TrainingKernels& kernels, const ProductJob& job, int calls) {
  const double peak = measure_peak(kernels.name, Arithmetic::float32);
  const double start = thread_seconds();
  for (auto _ : state) {
    for (int i = 0; i < calls; ++i) kernels.product(job);
  }
  const double multiplications =
      static_cast<double>(state.iterations()) * calls * job.outer * job.inner * job.rows * job.columns;
  const double rate = multiplications / (thread_seconds() - start);
  state.counters["multiplications"] = rate;
  if (peak > 0) state.counters["of_peak"] = rate / peak;
}

void forward(benchmark::State& state, const TrainingKernels& kernels, int in, int out) {
  const std::vector<float> values(static_cast<std::size_t>((kPixels + 2) * in * 3 + kProductPadding), 0.5F);
  const std::vector<float> matrix(static_cast<std::size_t>(9 * in * out + kProductPadding), 0.25F);
  std::vector<float> to(static_cast<std::size_t>(kPixels * out));
  ProductJob job{values.data(), (kPixels + 2) * in, in, 1, matrix.data(), 3 * in * out, out};
  job.outer = 3;
  job.inner = 3 * in;
  job.rows = kPixels;
  job.columns = out;
  job.out = to.data();
  job.out_step = out;
  run(state, kernels, job, 1);
}

void weight_gradient(benchmark::State& state, const TrainingKernels& kernels, int in, int out) {
  const std::vector<float> values(static_cast<std::size_t>((kPixels + 2) * in * (kRows + 2) + kProductPadding), 0.5F);
  const std::vector<float> matrix(static_cast<std::size_t>(kRows * kPixels * out + kProductPadding),
                                  1e-9F);  // small, because the sums grow with every iteration
  std::vector<float> to(static_cast<std::size_t>(3 * in * out));
  ProductJob job{values.data(), (kPixels + 2) * in, 1, in, matrix.data(), kPixels * out, out};
  job.outer = kRows;
  job.inner = kPixels;
  job.rows = 3 * in;
  job.columns = out;
  job.out = to.data();
  job.out_step = out;
  job.accumulate = true;
  run(state, kernels, job, 3);  // one product for each row of the kernel
}

const bool kRegistered = [] {
  for (const Kernels* set : available_kernels()) {
    const TrainingKernels* kernels = find_training_kernels(set->name);
    for (const auto& [in, out] : {std::pair{16, 16}, {32, 32}, {48, 48}, {3, 32}, {32, 12}}) {
      const std::string name = std::string{set->name} + "/" + std::to_string(in) + "x" + std::to_string(out);
      benchmark::RegisterBenchmark(("train_conv3x3_forward/" + name).c_str(), forward, *kernels, in, out);
      benchmark::RegisterBenchmark(("train_conv3x3_weights/" + name).c_str(), weight_gradient, *kernels, in, out);
    }
  }
  return true;
}();

}  // namespace
}  // namespace weir::compute
