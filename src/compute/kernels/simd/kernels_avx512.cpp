// Compiles the CPU kernels of networks for AVX-512 with VNNI.

#include "compute/half.hpp"
#include "compute/kernels/simd/simd_avx512.hpp"
#include "compute/kernels/simd/table.hpp"

namespace weir::compute {

const Kernels& avx512_kernels() { return Table<Avx512>::kernels; }

}  // namespace weir::compute
