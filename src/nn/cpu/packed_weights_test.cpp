#include "nn/cpu/packed_weights.hpp"

#include <gtest/gtest.h>

#include <string>

#include "networks/generate_network.hpp"
#include "planes.hpp"

namespace weir::nn {
namespace {

template <class T>
Bytes allocated_bytes(const compute::AlignedArray<T>& array) {
  return array.bytes_of(array.size());
}

/// Returns the bytes of all arrays of the packed weights.
Bytes allocated_bytes(const PackedWeights& packed) {
  Bytes total;
  for (const PackedOp& op : packed.ops) {
    total += allocated_bytes(op.matrix.int16) + allocated_bytes(op.matrix.unscale) +
             allocated_bytes(op.matrix.float32) + allocated_bytes(op.direct) + allocated_bytes(op.epilogue.bias) +
             allocated_bytes(op.epilogue.slope) + Bytes{op.shuffle_order.size()};
  }
  return total;
}

class PackedFamily : public testing::TestWithParam<std::string_view> {};

TEST_P(PackedFamily, NeedsThePlannedBytes) {
  const Network network = test::load_generated_network(GetParam(), 10);
  const auto program = lower(network.graph);
  ASSERT_TRUE(program) << program.error().what;
  for (const compute::Kernels* kernels : compute::available_kernels()) {
    for (const auto arithmetic : {compute::Arithmetic::int16, compute::Arithmetic::float32}) {
      const PackedWeights packed = pack_weights(network.graph, *program, *kernels, arithmetic, {.transpose = true});
      EXPECT_EQ(allocated_bytes(packed), packed_bytes(*program, network.graph, *kernels, arithmetic)) << kernels->name;
    }
  }
}

// The last family, "layers", has layers that lower() refuses.
INSTANTIATE_TEST_SUITE_P(Families, PackedFamily,
                         testing::ValuesIn(test::kGeneratedFamilies.begin(), test::kGeneratedFamilies.end() - 1),
                         [](const auto& family) { return std::string{family.param}; });

}  // namespace
}  // namespace weir::nn
