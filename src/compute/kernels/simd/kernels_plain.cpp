// Compiles the CPU kernels of networks for plain C++.

#include "compute/half.hpp"
#include "compute/kernels/simd/simd_plain.hpp"
#include "compute/kernels/simd/table.hpp"

namespace weir::compute {

const Kernels& plain_kernels() { return Table<Plain>::kernels; }

}  // namespace weir::compute
