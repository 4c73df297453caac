#pragma once

#include <span>
#include <string_view>

#include "compute/kernels/kernels.hpp"

namespace weir::compute {

/// A loop that measures the peak speed of one core. It only executes multiply-add instructions, the same ones as the
/// matrix products of this instruction set. All operands are in registers. There are several chains of additions that
/// do not depend on each other, so that no instruction waits for the one before.
struct PeakKernel {
  std::string_view instruction_set;  ///< Kernels::name
  Arithmetic arithmetic;             ///< arithmetic of the instructions
  double multiplications;            ///< number of multiplications in one round
  void (*run)(int rounds);           ///< executes the loop `rounds` times
};
/// Returns the loops of all instruction sets that this machine can run. There is none for the plain kernels, which use
/// no instruction set in particular.
std::span<const PeakKernel> list_peak_kernels();

/// Returns the multiplications of one core per second of CPU time: the best of several short runs. `instruction_set` is
/// a Kernels::name. Returns 0 if there is no PeakKernel for the instruction set and the arithmetic.
double measure_peak(std::string_view instruction_set, Arithmetic arithmetic);

/// Returns the CPU time of the calling thread, in seconds.
double thread_seconds();

}  // namespace weir::compute
