// Compares the planned memory of a segment with the peak of the process. A peak never decreases, so the segment is made
// in a process of its own: this program again.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <fstream>

#include "base/child_process.hpp"
#include "base/process_memory.hpp"
#include "film_cases.hpp"
#include "folder.hpp"
#include "jobs/item.hpp"
#include "media/film/index_pass.hpp"
#include "tasks/film/film_kind.hpp"

namespace weir::film {
namespace {

constexpr char kFilmVariable[] = "WEIR_FILM_MEMORY_CASE";

/// Writes a network of one convolution that passes its input on.
void write_copying_network(const test::Folder& folder) {
  std::ofstream{folder / "copy.param"}
      << "7767517\n2 2\nInput in0 0 1 in0\nConvolution copy 1 1 in0 out0 0=3 1=1 5=0 6=9\n";
  const float values[] = {0, 1, 0, 0, 0, 1, 0, 0, 0, 1};  // a tag, then the weights
  std::ofstream{folder / "copy.bin", std::ios::binary}.write(reinterpret_cast<const char*>(values), sizeof values);
}

TEST(FilmMemory, OneSegment) {
  const char* film = std::getenv(kFilmVariable);
  if (film == nullptr) GTEST_SKIP() << "run by the other test, with " << kFilmVariable;
  test::Folder folder;
  write_copying_network(folder);
  FilmRequest request;
  request.upscale.network_options.model = folder / "copy.param";
  request.upscale.upscale.precision = enhance::Precision::exact;
  auto task = make_film_task_from_json(to_json(request), {.ram = 4_GiB, .vram = {}, .threads = 1, .device = "cpu"});
  ASSERT_TRUE(task) << task.error().what;
  const auto index = index_film(film, {});
  ASSERT_TRUE(index) << index.error().what;
  std::ofstream{folder / "index"} << to_text(*index);
  jobs::Item item;
  item.task = kSegmentKind;
  item.inputs = {folder / "index"};
  item.outputs = {folder / "00000.nut"};
  item.parameters = jobs::dump(jobs::Json{{"film", jobs::encode_path(film)}, {"segment", 0}});
  const auto planned = (*task)->estimate(item, 0);
  ASSERT_TRUE(planned) << planned.error().what;
  const jobs::AttemptResult result = (*task)->run({.item = item, .outputs = item.outputs, .progress = {}, .stop = {}});
  ASSERT_FALSE(result.error) << result.error->what;
  const Bytes peak = peak_resident_memory();
  std::printf("film memory: measured %s, planned %s\n", to_text(peak).c_str(), to_text(planned->ram).c_str());
  EXPECT_LE(peak, planned->ram);
  EXPECT_GE(2 * peak.count(), planned->ram.count());
}

class FilmMemoryOf : public WithFilmCases {};

TEST_F(FilmMemoryOf, ASegmentTakesNoMoreBytesThanPlanned) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "a sanitizer takes memory of its own";
#endif
  auto child = ChildProcess::start(
      {.arguments = {std::filesystem::read_symlink("/proc/self/exe").native(), "--gtest_filter=FilmMemory.OneSegment"},
       .environment = {{kFilmVariable, film_case("whole.mp4").native()}}});
  ASSERT_TRUE(child) << child.error().what;
  const auto ended = child->wait_until(std::chrono::steady_clock::now() + std::chrono::minutes{5});
  ASSERT_TRUE(ended) << "the process hangs";
  EXPECT_EQ(ended->status, 0);
}

}  // namespace
}  // namespace weir::film
