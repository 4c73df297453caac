#pragma once

// The table of the kernels of one policy P (the vectors of one instruction set and the operations on them,
// simd_plain.hpp). Each file simd/kernels_*.cpp includes this header and compiles it for one instruction set.

#include "compute/kernels/conv3x3/winograd.hpp"
#include "compute/kernels/direct/direct.hpp"
#include "compute/kernels/kernels.hpp"
#include "compute/kernels/patch/patch.hpp"
#include "compute/kernels/rows/rows.hpp"

namespace weir::compute {

template <class P>
struct Table {
  static int channel_at(int index) { return P::channel_at(index); }
  static void to_float(const std::uint16_t* in, float* out, std::size_t count) {
    std::size_t i = 0;
    for (; i + P::lanes <= count; i += P::lanes) P::store(out + i, P::load(in + i));
    for (; i < count; ++i) out[i] = half_to_float(in[i]);
  }
  static void to_half(const float* in, std::uint16_t* out, std::size_t count) {
    std::size_t i = 0;
    for (; i + P::lanes <= count; i += P::lanes) P::store(out + i, P::load(in + i));
    for (; i < count; ++i) out[i] = float_to_half(in[i]);
  }
  static constexpr Kernels kernels{P::name,
                                   P::lanes,
                                   P::lanes* P::columns,
                                   P::rows,
                                   channel_at,
                                   Winograd<P>::run,
                                   Patch<P>::run,
                                   Direct<P>::run,
                                   RowKernels<P>::combine,
                                   RowKernels<P>::shuffle,
                                   RowKernels<P>::resize_row,
                                   RowKernels<P>::samples,
                                   to_float,
                                   to_half,
                                   Winograd<P>::scratch_bytes,
                                   Patch<P>::scratch_bytes};
};

}  // namespace weir::compute
