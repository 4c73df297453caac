#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "compute/kernels/kernels.hpp"
#include "compute/kernels/training/training.hpp"
#include "compute/thread_team.hpp"
#include "nn/train/command.hpp"

namespace weir::nn::train {

/// Executes the matrix products, convolutions and max pooling of CpuTrainingDevice, and their gradients; the device
/// itself executes the simpler commands, with the threads of this object. The executor holds the kernels, the threads,
/// and scratch memory for intermediate results.
class CpuExecutor {
 public:
  CpuExecutor(int threads, const compute::TrainingKernels& kernels) : kernels_{kernels}, team_{threads} {
    thread_scratch_.resize(static_cast<std::size_t>(team_.size()));
  }
  const compute::TrainingKernels& kernels() const { return kernels_; }

  /// Divides the units 0..units-1 of some work into ranges and calls f(first, last, member) for each range
  /// first..last-1, on all threads. A range starts at a multiple of `grain`; `member` is the index of the thread in the
  /// team. `cost` is the number of multiplications, or similar operations, of one unit. If the work is too short to be
  /// worth waking threads, the calling thread, which is member 0, does all of it in one call of `f`.
  template <class F>
  void parallel_for(int units, int grain, double cost, F&& f) {
    constexpr double kMinSharedCost = 60000;  // takes about 10 us, which is longer than waking a thread
    if (units <= grain || cost * units < kMinSharedCost) return f(0, units, 0);
    team_.run(units, grain, units, [&f](int first, int last, int member) { f(first, last, member); });
  }
  /// Calls f(first, count) for ranges that cover `count` values, on all threads.
  template <class F>
  void parallel_for_values(std::size_t count, F&& f) {
    constexpr std::size_t kChunk = 4096;
    const auto chunks = static_cast<int>((count + kChunk - 1) / kChunk);
    parallel_for(chunks, 1, static_cast<double>(kChunk), [&](int first, int last, int /*member*/) {
      const std::size_t from = static_cast<std::size_t>(first) * kChunk;
      f(from, std::min(count, static_cast<std::size_t>(last) * kChunk) - from);
    });
  }
  /// out [columns] (+)= the sum over all rows, on all threads; (+)= as in command.hpp. The rows are divided into parts;
  /// f(first row, number of rows, sums [columns]) adds the rows of a part to `sums`, and the sums of the parts are then
  /// added to `out` in their order. The number of rows alone determines the parts. Uses shared_scratch().
  template <class F>
  void parallel_sum_rows(std::size_t rows, std::size_t columns, float* out, bool accumulate, F&& f) {
    const std::size_t rows_per_part = std::max<std::size_t>(64, (rows + kMaxPartialSums - 1) / kMaxPartialSums);
    const std::size_t parts = std::max<std::size_t>(1, (rows + rows_per_part - 1) / rows_per_part);
    float* sums = shared_scratch(parts * columns);
    parallel_for(
        static_cast<int>(parts), 1, static_cast<double>(rows_per_part * columns),
        [&](int first, int last, int /*member*/) {
          for (std::size_t part = static_cast<std::size_t>(first); part < static_cast<std::size_t>(last); ++part) {
            float* part_sums = sums + part * columns;
            std::fill_n(part_sums, columns, 0.0F);
            f(part * rows_per_part, std::min(rows, (part + 1) * rows_per_part) - part * rows_per_part, part_sums);
          }
        });
    add_partial_sums(sums, parts, columns, out, accumulate);
  }
  /// out[i] (+)= the sum of parts[p][i] over p in 0..count-1, added in this order; parts is [count, columns]
  static void add_partial_sums(const float* parts, std::size_t count, std::size_t columns, float* out,
                               bool accumulate) {
    if (!accumulate) std::fill_n(out, columns, 0.0F);
    for (std::size_t part = 0; part < count; ++part) {
      for (std::size_t i = 0; i < columns; ++i) out[i] += parts[part * columns + i];
    }
  }
  static constexpr std::size_t kMaxPartialSums = 32;  ///< largest number of parts that a sum is divided into

  // Each returns scratch memory for `count` values, with undefined contents. It is valid until the next call of the
  // same function (of thread_scratch() with the same `member`) or of cleanup(). Each member of the team has its own
  // thread_scratch(). weights_scratch() is for rearranged weights.
  float* thread_scratch(int member, std::size_t count) {
    return ensure_size(thread_scratch_[static_cast<std::size_t>(member)], count);
  }
  float* shared_scratch(std::size_t count) { return ensure_size(shared_scratch_, count); }
  float* weights_scratch(std::size_t count) { return ensure_size(weights_scratch_, count); }

  // Each executes one command.
  void product(const MatrixProductCommand& c);
  void convolve(const ConvolveCommand& c);
  void convolve_back(const ConvolveBackCommand& c);
  void convolve_weights_back(const ConvolveWeightsBackCommand& c);
  void max_pool(const MaxPoolCommand& c);
  void max_pool_back(const MaxPoolBackCommand& c);

  /// Returns the values of an operand; null for an empty operand.
  static float* data(Operand operand) { return static_cast<float*>(operand.memory); }

  /// Frees the scratch memory.
  void cleanup();

 private:
  using Scratch = compute::AlignedArray<float>;
  /// Makes `scratch` large enough for `count` values and for the values that the kernels read after them.
  static float* ensure_size(Scratch& scratch, std::size_t count) {
    const std::size_t needed = count + compute::kProductPadding;
    if (scratch.size() < needed) scratch = Scratch{needed};
    return scratch.data();
  }
  const compute::TrainingKernels& kernels_;
  compute::ThreadTeam team_;
  std::vector<Scratch> thread_scratch_;
  Scratch shared_scratch_, weights_scratch_;
};

}  // namespace weir::nn::train
