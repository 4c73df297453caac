#pragma once

#include <cstdint>
#include <vector>

#include "compute/kernels/kernels.hpp"

namespace weir::nn {

/// Sums each channel over a picture, to compute the means. Values are summed as 64-bit integers in units of 2^-24, so
/// the means do not depend on the order in which the threads add values. Every float16 value is a multiple of 2^-24;
/// float32 values are rounded to the nearest multiple. Sums of up to 2^39 fit. Each thread of a team (the threads that
/// compute a picture together) adds to its own partial sums.
class MeanSum {
 public:
  /// `threads` is the number of threads of the team. `channels` is the number of channels, padded to a multiple of 32.
  MeanSum(int threads, int channels);

  /// Adds `pixels` adjacent pixels; each has as many values as the constructor's `channels`. `member` is the index of
  /// the calling thread in the team. Thread-safe for different members.
  void add(const compute::Kernels& kernels, compute::ElementType element_type, const std::byte* values, int pixels,
           int member);
  /// Returns sum / pixels for each of the first `channels` channels. All results are NaN if a value was not finite or a
  /// partial sum did not fit; the result of a channel is NaN if its total does not fit.
  std::vector<float> means(int channels, double pixels) const;

 private:
  struct OverflowFlag {
    bool is_set = false;  // a value was not finite, or a sum did not fit
  };
  int channels_;
  std::vector<std::vector<std::int64_t>> sums_;  // by thread of the team
  std::vector<OverflowFlag> overflow_;           // by thread of the team
};

}  // namespace weir::nn
