// Compiles the training kernels for AVX2.

#include "compute/kernels/simd/simd_avx2.hpp"
#include "compute/kernels/training/table.hpp"

namespace weir::compute {

const TrainingKernels& avx2_training_kernels() { return TrainingTable<Avx2>::kernels; }

}  // namespace weir::compute
