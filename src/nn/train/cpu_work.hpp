#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "compute/kernels/kernels.hpp"
#include "compute/kernels/training/training.hpp"
#include "compute/team.hpp"
#include "nn/train/command.hpp"

namespace weir::nn::train {

/// What the CPU's commands share: kernels, threads, and memory for what lies between.
class CpuWork {
 public:
  CpuWork(int threads, const compute::TrainingKernels& kernels) : kernels_{kernels}, team_{threads} {
    own_.resize(static_cast<std::size_t>(team_.size()));
  }
  const compute::TrainingKernels& kernels() const { return kernels_; }

  /// f(first, last, member) over 0..units; `cost` in multiplications, or the like, of one unit. Little work is done at once
  /// by the caller.
  template <class F>
  void share(int units, int grain, double cost, F&& f) {
    constexpr double kWorthSharing = 60000;  // some ten microseconds: what it takes to wake a thread, and more
    if (units <= grain || cost * units < kWorthSharing) return f(0, units, 0);
    team_.run(units, grain, units, [&f](int first, int last, int member) { f(first, last, member); });
  }
  /// The same over values: f(first, count).
  template <class F>
  void share_values(std::size_t count, F&& f) {
    constexpr std::size_t kChunk = 4096;
    const auto chunks = static_cast<int>((count + kChunk - 1) / kChunk);
    share(chunks, 1, static_cast<double>(kChunk), [&](int first, int last, int) {
      const std::size_t from = static_cast<std::size_t>(first) * kChunk;
      f(from, std::min(count, static_cast<std::size_t>(last) * kChunk) - from);
    });
  }
  /// Sums of f(first row, count, sums [columns]) over `rows`, cut by the rows alone, added in order to `out`.
  template <class F>
  void share_sums(std::size_t rows, std::size_t columns, float* out, bool accumulate, F&& f) {
    const std::size_t rows_each = std::max<std::size_t>(64, (rows + kMostParts - 1) / kMostParts);
    const std::size_t parts = std::max<std::size_t>(1, (rows + rows_each - 1) / rows_each);
    float* sums = shared(parts * columns);
    share(static_cast<int>(parts), 1, static_cast<double>(rows_each * columns), [&](int first, int last, int) {
      for (std::size_t part = static_cast<std::size_t>(first); part < static_cast<std::size_t>(last); ++part) {
        float* own = sums + part * columns;
        std::fill_n(own, columns, 0.0F);
        f(part * rows_each, std::min(rows, (part + 1) * rows_each) - part * rows_each, own);
      }
    });
    add_parts(sums, parts, columns, out, accumulate);
  }
  /// out[i] (+)= sum of parts[p][i], in order.
  static void add_parts(const float* parts, std::size_t count, std::size_t columns, float* out, bool accumulate) {
    if (!accumulate) std::fill_n(out, columns, 0.0F);
    for (std::size_t part = 0; part < count; ++part) {
      for (std::size_t i = 0; i < columns; ++i) out[i] += parts[part * columns + i];
    }
  }
  static constexpr std::size_t kMostParts = 32;  ///< of a sum; more threads than that find no work in it

  /// Memory until the next call of the same; contents are undefined. `own` is a member's.
  float* own(int member, std::size_t count) { return grown(own_[static_cast<std::size_t>(member)], count); }
  float* shared(std::size_t count) { return grown(shared_, count); }
  float* weights(std::size_t count) { return grown(weights_, count); }

  void product(const Product& c);
  void convolve(const Convolve& c);
  void convolve_back(const ConvolveBack& c);
  void convolve_weights(const ConvolveWeights& c);
  void max_pool(const MaxPool& c);
  void max_pool_back(const MaxPoolBack& c);

  static float* at(Operand operand) { return static_cast<float*>(operand.memory); }

  /// Gives the memory in between back.
  void cleanup();

 private:
  using Scratch = compute::AlignedArray<float>;
  static float* grown(Scratch& scratch, std::size_t count) {
    const std::size_t wanted = count + compute::kPadding;
    if (scratch.size() < wanted) scratch = Scratch{wanted};
    return scratch.data();
  }
  const compute::TrainingKernels& kernels_;
  compute::Team team_;
  std::vector<Scratch> own_;
  Scratch shared_, weights_;
};

}  // namespace weir::nn::train
