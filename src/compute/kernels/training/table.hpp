#pragma once

// Makes the table of training kernels of one policy. Included only by the file of one instruction set.

#include "compute/kernels/training/elementwise.hpp"
#include "compute/kernels/training/product.hpp"

namespace weir::compute {

template <class P>
struct TrainingTable {
  using E = Elementwise<P, float>;
  static constexpr TrainingKernels kernels{
      P::name,          P::lanes,     24,          MatrixProduct<P>::run, E::combine,      E::multiply, E::activate,
      E::activate_back, E::add_bias,  E::prelu,    E::prelu_back,         E::prelu_slopes, E::sum_rows, E::sum_squares,
      E::loss,          E::loss_back, E::max_pool, E::max_pool_back,      E::adam,         E::sgd};
};

}  // namespace weir::compute
