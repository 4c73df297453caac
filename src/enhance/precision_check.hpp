#pragma once

#include "compute/kernels/kernels.hpp"
#include "compute/team.hpp"
#include "nn/network.hpp"
#include "nn/program.hpp"

namespace weir::enhance {

/// Whether a network's int16 arithmetic is near enough to float32: at least 55 dB, no sample off by more than 8 of 255,
/// on a drawn picture of extremes (noise, a checkerboard, saturated colours, a ramp). The same answer every time; it is
/// remembered in the user's cache folder, by the network's weights and the instruction set.
struct PrecisionCheck {
  double psnr = 0;   ///< dB; of int16 against float32
  int most_off = 0;  ///< of 255
  bool good_enough = false;
};
/// Errors: those of running the network.
Result<PrecisionCheck> check_precision(const nn::Network& network, const nn::Program& program,
                                       const compute::Kernels& kernels, compute::Team& team);

}  // namespace weir::enhance
