// Writes the seed files of the network fuzzer. A seed file has the text of a .param file, a zero byte, and the contents
// of the .bin file. The seeds are a small network of each family, two of them with float32 weights, and networks at the
// limits of the engine.
//   g++ -std=c++20 -Itests tests/networks/write_corpus.cpp -lfmt -o /tmp/write_corpus && /tmp/write_corpus src/nn/formats/ncnn/ncnn_fuzz_corpus

#include <filesystem>
#include <fstream>

#include "networks/edge_networks.hpp"
#include "networks/generate_network.hpp"

namespace {

void write_seed(const std::filesystem::path& path, const weir::test::GeneratedNetwork& files) {
  std::ofstream file{path, std::ios::binary};
  file << files.param << '\0';
  file.write(reinterpret_cast<const char*>(files.bin.data()), std::ssize(files.bin));
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) return 2;
  const std::filesystem::path folder{arguments[1]};
  std::filesystem::create_directories(folder);
  for (const std::string_view family : weir::test::kGeneratedFamilies) {
    const bool stores_float32 = family == "layers" || family == "animevideo_x2";
    const auto weights = stores_float32 ? weir::test::StoredWeights::float32 : weir::test::StoredWeights::float16;
    write_seed(folder / family, weir::test::generate_network(family, {.channels = 2, .blocks = 1, .weights = weights}));
  }
  write_seed(folder / "padded", weir::test::generate_network("padded", {.channels = 6, .blocks = 1}));
  write_seed(folder / "sum_of_9", weir::test::sum_network(9));
  write_seed(folder / "gated_sum_of_3", weir::test::gated_sum_network(3));
  write_seed(folder / "concat_of_9", weir::test::concat_network(9, 5));
  write_seed(folder / "shuffle_9", weir::test::shuffle_network(9));
  write_seed(folder / "dense_1", weir::test::dense_network(1));
  write_seed(folder / "gates_3", weir::test::gates_network(3));
}
