#pragma once

#include "compute/kernels/kernels.hpp"
#include "compute/thread_team.hpp"
#include "enhance/geometry.hpp"
#include "nn/cpu/strips.hpp"
#include "nn/network.hpp"
#include "nn/program.hpp"

namespace weir::enhance {

/// The result of a check whether a network computes nearly the same in int16 arithmetic as in float32. If int16 gives
/// values that are not numbers, all fields keep their initial values.
struct PrecisionVerdict {
  double psnr_db = 0;        ///< peak signal-to-noise ratio of int16 against float32, in dB; 99 if both are equal
  int max_difference = 0;    ///< largest difference of a sample, in steps of 1/255
  bool good_enough = false;  ///< int16 may be used
};

/// The network that is checked, and the kernels that run it; the references must outlive the check.
struct PrecisionCheckContext {
  const nn::Network& network;
  const nn::Program& program;
  const compute::Kernels& kernels;
};

/// Checks the precision of a network: runs it in int16 and in float32 on a test picture of extremes (noise, a
/// checkerboard, saturated colours, a ramp). int16 is good enough if the PSNR is at least 55 dB and no sample differs
/// by more than 8 of 255. The picture has 96x96 pixels. For a network so large that a picture of this size would take
/// noticeable time, it has 8x8 pixels (more if the network needs more), and nn::run_reference(), the slow reference
/// implementation, computes float32, because it needs no memory for packed weights.
/// The same network and instruction set always give the same verdict, so it is cached in the user's cache folder.
class PrecisionCheck {
 public:
  /// Chooses the test picture, and a plan that fits into `memory`. The result is the same whether a verdict is cached
  /// or not. Errors: over_budget (the text has the numbers); invalid_argument if every test picture is too small for
  /// the network.
  static Result<PrecisionCheck> plan(const PrecisionCheckContext& context, int threads, Bytes memory);

  /// Returns the largest amount of memory that run() allocates; run() frees all of it.
  Bytes need() const { return need_; }
  /// Returns the cached verdict; if there is none, runs the check and caches its verdict.
  /// Errors: those of nn::Runner, except bad_values in int16; bad_values if the reference implementation (which is used
  /// for large networks) gives values that are not numbers.
  Result<PrecisionVerdict> run(const PrecisionCheckContext& context, compute::ThreadTeam& team) const;

 private:
  Geometry geometry_;
  bool by_reference_ = false;   // the reference implementation computes float32 (large networks)
  nn::StripPlan exact_, fast_;  // plans for float32 (not if by_reference_) and for int16
  Bytes need_;
};

}  // namespace weir::enhance
