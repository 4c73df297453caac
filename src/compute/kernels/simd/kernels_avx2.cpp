// Compiles the CPU kernels of networks for AVX2.

#include "compute/half.hpp"
#include "compute/kernels/simd/simd_avx2.hpp"
#include "compute/kernels/simd/table.hpp"

namespace weir::compute {

const Kernels& avx2_kernels() { return Table<Avx2>::kernels; }

}  // namespace weir::compute
