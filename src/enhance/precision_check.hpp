#pragma once

#include "compute/kernels/kernels.hpp"
#include "compute/thread_team.hpp"
#include "enhance/geometry.hpp"
#include "nn/cpu/strips.hpp"
#include "nn/network.hpp"
#include "nn/program.hpp"

namespace weir::enhance {

/// Whether a network's int16 arithmetic is near enough to float32.
struct PrecisionVerdict {
  double psnr_db = 0;      ///< dB; of int16 against float32
  int max_difference = 0;  ///< of 255
  bool good_enough = false;
};

/// What is checked. All must outlive the check.
struct PrecisionCheckContext {
  const nn::Network& network;
  const nn::Program& program;
  const compute::Kernels& kernels;
};

/// Runs a network in int16 and in float32 on a drawn picture of extremes (noise, a checkerboard, saturated colours, a
/// ramp): int16 is good enough at 55 dB and no sample off by more than 8 of 255. The picture is 96x96. For a network so
/// large that this would take noticeable time it is 8x8, and float32 is the plain reference's, which packs no weights.
/// The verdict is the same every time; it is remembered in the user's cache folder, by all of the network that changes a
/// result and by the instruction set.
class PrecisionCheck {
 public:
  /// Chooses the picture, and rows that fit into `memory`. Depends on the machine and the network alone, not on whether
  /// a verdict is remembered. Errors: over_budget with the numbers; invalid_argument if no picture is large enough.
  static Result<PrecisionCheck> plan(const PrecisionCheckContext& context, int threads, Bytes memory);

  /// What run() takes beside what the process has, at most; all of it is given back.
  Bytes need() const { return need_; }
  /// Errors: those of running the network; bad_values if float32 fails too.
  Result<PrecisionVerdict> run(const PrecisionCheckContext& context, compute::ThreadTeam& team) const;

 private:
  Geometry geometry_;
  bool by_reference_ = false;  // float32, of a large network
  nn::StripPlan exact_, fast_;
  Bytes need_;
};

}  // namespace weir::enhance
