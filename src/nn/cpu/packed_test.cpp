#include "nn/cpu/packed.hpp"

#include <gtest/gtest.h>

#include <string>

#include "networks/generate.hpp"
#include "planes.hpp"

namespace weir::nn {
namespace {

template <class T>
Bytes held(const compute::AlignedArray<T>& array) {
  return array.bytes_of(array.size());
}

Bytes held(const Packed& packed) {
  Bytes total;
  for (const PackedOp& op : packed.ops) {
    total += held(op.matrix.int16) + held(op.matrix.unscale) + held(op.matrix.float32) + held(op.direct) +
             held(op.epilogue.bias) + held(op.epilogue.slope) + Bytes{op.order.size()};
  }
  return total;
}

class PackedFamily : public testing::TestWithParam<std::string_view> {};

TEST_P(PackedFamily, TakesWhatIsPlanned) {
  const Network network = test::network_of(GetParam(), 10);
  const auto program = lower(network.graph);
  ASSERT_TRUE(program) << program.error().what;
  for (const compute::Kernels* kernels : compute::available_kernels()) {
    for (const auto arithmetic : {compute::Arithmetic::int16, compute::Arithmetic::float32}) {
      const Packed packed = pack(network.graph, *program, *kernels, arithmetic, {.transpose = true});
      EXPECT_EQ(held(packed), packed_bytes(*program, network.graph, *kernels, arithmetic)) << kernels->name;
    }
  }
}

// All but the last, whose layers no program makes.
INSTANTIATE_TEST_SUITE_P(Families, PackedFamily,
                         testing::ValuesIn(test::kGeneratedFamilies.begin(), test::kGeneratedFamilies.end() - 1),
                         [](const auto& family) { return std::string{family.param}; });

}  // namespace
}  // namespace weir::nn
