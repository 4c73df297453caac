// Compiles the training kernels for AVX-512 with VNNI.

#include "compute/kernels/simd/simd_avx512.hpp"
#include "compute/kernels/training/table.hpp"

namespace weir::compute {

const TrainingKernels& avx512_training_kernels() { return TrainingTable<Avx512>::kernels; }

}  // namespace weir::compute
