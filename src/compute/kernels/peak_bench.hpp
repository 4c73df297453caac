#pragma once

#include <span>
#include <string_view>

#include "compute/kernels/kernels.hpp"

namespace weir::compute {

/// The instruction that a set's matrix product is made of, in independent chains in registers: what one core can do when
/// nothing else is in the way.
struct PeakKernel {
  std::string_view instruction_set;  ///< as in Kernels::name
  Arithmetic arithmetic;
  double multiplications;  ///< of a round
  void (*run)(int rounds);
};
/// Those that the machine can run, of every set but plain.
std::span<const PeakKernel> list_peak_kernels();

/// Multiplications per second of one core's time, the best of several short runs; 0 for a set without a peak.
double measure_peak(std::string_view instruction_set, Arithmetic arithmetic);

/// Of the calling thread.
double thread_seconds();

}  // namespace weir::compute
