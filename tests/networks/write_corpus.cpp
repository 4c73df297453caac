// Writes the seeds of the network fuzzer: a small network of each family (text, a zero byte, weights), and two
// with float32 weights.
//   g++ -std=c++20 -Itests tests/networks/write_corpus.cpp -lfmt -o /tmp/write_corpus && /tmp/write_corpus src/nn/ncnn_fuzz_corpus

#include <filesystem>
#include <fstream>

#include "networks/generate.hpp"

int main(int count, char** arguments) {
  if (count != 2) return 2;
  const std::filesystem::path folder{arguments[1]};
  std::filesystem::create_directories(folder);
  for (const std::string_view family : weir::test::kGeneratedFamilies) {
    const bool wide = family == "layers" || family == "animevideo_x2";
    const auto weights = wide ? weir::test::StoredWeights::float32 : weir::test::StoredWeights::float16;
    const auto files = weir::test::generate(family, {.channels = 2, .blocks = 1, .weights = weights});
    std::ofstream file{folder / family, std::ios::binary};
    file << files.param << '\0';
    file.write(reinterpret_cast<const char*>(files.bin.data()), std::ssize(files.bin));
  }
}
