// Parses the fuzzer's bytes, then the same bytes followed by their correct hash. If bytes were parsed as a checkpoint,
// to_bytes() of this checkpoint must return the same bytes.
#include <xxhash.h>

#include <cstdlib>
#include <vector>

#include "nn/train/checkpoint.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto* first = reinterpret_cast<const std::byte*>(data);
  std::vector<std::byte> bytes(first, first + size);
  for (int pass = 0; pass < 2; ++pass) {
    const auto parsed = weir::nn::train::parse_checkpoint(bytes, "fuzz");
    if (parsed && weir::nn::train::to_bytes(*parsed) != bytes) std::abort();
    const std::uint64_t hash = XXH3_64bits(bytes.data(), bytes.size());
    const auto* hash_bytes = reinterpret_cast<const std::byte*>(&hash);
    bytes.insert(bytes.end(), hash_bytes, hash_bytes + sizeof hash);
  }
  return 0;
}
