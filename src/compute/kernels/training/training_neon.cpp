// Compiles the training kernels for NEON.

#include "compute/kernels/simd/simd_neon.hpp"
#include "compute/kernels/training/table.hpp"

namespace weir::compute {

const TrainingKernels& neon_training_kernels() { return TrainingTable<Neon>::kernels; }

}  // namespace weir::compute
