#pragma once

// The table of the training kernels of one policy P (the vectors of one instruction set and the operations on them,
// simd/simd_plain.hpp). Each file training_*.cpp includes this header and compiles it for one instruction set.

#include "compute/kernels/training/elementwise.hpp"
#include "compute/kernels/training/product.hpp"

namespace weir::compute {

template <class P>
struct TrainingTable {
  using E = Elementwise<P, float>;
  // A full tile of MatrixProduct has 2, 4 or 6 rows, depending on the instruction set; 24 is a multiple of each.
  static constexpr TrainingKernels kernels{P::name,     P::lanes,         /*group_rows=*/24, MatrixProduct<P>::run,
                                           E::combine,  E::multiply,      E::activate,       E::activate_back,
                                           E::add_bias, E::prelu,         E::prelu_back,     E::prelu_slopes,
                                           E::sum_rows, E::sum_squares,   E::loss,           E::loss_back,
                                           E::max_pool, E::max_pool_back, E::adam,           E::sgd};
};

}  // namespace weir::compute
