#pragma once

#include <cstdint>
#include <vector>

#include "compute/kernels/kernels.hpp"

namespace weir::nn {

/// The sum of each channel over a picture. Values are multiples of 2^-24 (every float16 is; float32 ones are rounded to
/// it) and summed as integers: the mean does not depend on the order in which rows, pieces or threads come. Sums of up to
/// 2^39 fit. Each member of a team has its own part.
class MeanSum {
 public:
  /// `channels` padded to whole blocks of 32.
  MeanSum(int threads, int channels);

  /// Adds `pixels` pixels that lie side by side, `channels` values apart. Thread-safe for different members.
  void add(const compute::Kernels& kernels, compute::ElementType element_type, const std::byte* values, int pixels,
           int member);
  /// Sum / pixels of the first `channels` channels; no numbers if a value was none, or a sum did not fit.
  std::vector<float> means(int channels, double pixels) const;

 private:
  struct OverflowFlag {
    bool is_set = false;  // a value that is no number, or a sum that does not fit
  };
  int channels_;
  std::vector<std::vector<std::int64_t>> sums_;  // by member
  std::vector<OverflowFlag> overflow_;           // by member
};

}  // namespace weir::nn
