// Compiles the CPU kernels of networks for NEON.

#include "compute/half.hpp"
#include "compute/kernels/simd/simd_neon.hpp"
#include "compute/kernels/simd/table.hpp"

namespace weir::compute {

const Kernels& neon_kernels() { return Table<Neon>::kernels; }

}  // namespace weir::compute
