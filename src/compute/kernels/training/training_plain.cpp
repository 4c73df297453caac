// Compiles the training kernels for plain C++.

#include "compute/kernels/simd/simd_plain.hpp"
#include "compute/kernels/training/table.hpp"

namespace weir::compute {

const TrainingKernels& plain_training_kernels() { return TrainingTable<Plain>::kernels; }

}  // namespace weir::compute
