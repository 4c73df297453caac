#include "observe/event_log.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "folder.hpp"

namespace weir::observe {
namespace {

namespace fs = std::filesystem;
constexpr std::uintmax_t kTooLong = (std::uintmax_t{64} << 20) + 1;  // bytes; a longer file than 64 MiB is rotated

TEST(EventLog, ALongFileIsRotatedOnce) {
  const weir::test::Folder folder;
  const fs::path path = folder / "log.jsonl";
  folder.put("log.jsonl", "{\"time\":\"");
  fs::resize_file(path, kTooLong);  // a sparse file: it uses no disk space
  {
    std::vector<std::jthread> writers;
    writers.reserve(8);
    for (int i = 0; i < 8; ++i)
      writers.emplace_back([&] {
        EventLog log;
        if (log.add_file(path)) log.write(Level::info, "run_start");
      });
  }
  EXPECT_GE(fs::file_size(path.native() + ".1"), kTooLong);
  EventLog log;
  ASSERT_TRUE(log.add_file(path));
  log.write(Level::info, "run_end");
  const std::string text = folder.text("log.jsonl");
  EXPECT_LT(text.size(), 10000U);
  EXPECT_NE(text.find("\"event\":\"run_end\""), std::string::npos);
}

TEST(EventLog, AShortFileIsAppendedTo) {
  const weir::test::Folder folder;
  const std::string earlier = "{\"time\":\"2026-11-29T10:00:00.000Z\"}\n";
  folder.put("log.jsonl", earlier);
  EventLog log;
  ASSERT_TRUE(log.add_file(folder / "log.jsonl"));
  log.write(Level::warning, "stop", {{"why", "enough"}});
  EXPECT_TRUE(folder.text("log.jsonl").starts_with(earlier + "{\"time\":"));
  EXPECT_FALSE(fs::exists(folder / "log.jsonl.1"));
}

TEST(EventLog, AFileThatIsNoLogIsKept) {
  const weir::test::Folder folder;
  folder.put("notes.txt", "notes");
  EventLog log;
  const auto added = log.add_file(folder / "notes.txt");
  ASSERT_FALSE(added);
  EXPECT_EQ(added.error().code, Errc::exists);
  log.write(Level::info, "run_start");
  EXPECT_EQ(folder.text("notes.txt"), "notes");
}

TEST(EventLog, AnUnwritableFileIsReportedAndTheOthersContinue) {
  const weir::test::Folder folder;
  EventLog log;
  ASSERT_TRUE(log.add_file("/dev/full"));
  ASSERT_TRUE(log.add_file(folder / "log.jsonl"));
  EXPECT_FALSE(log.first_error());
  log.write(Level::info, "run_start");
  log.write(Level::info, "run_end");
  EXPECT_EQ(log.dropped_lines(), 2U);
  ASSERT_TRUE(log.first_error());
  EXPECT_EQ(log.first_error()->what, "/dev/full: cannot be written: No space left on device; events are missing there");
  EXPECT_NE(folder.text("log.jsonl").find("run_end"), std::string::npos);
}

}  // namespace
}  // namespace weir::observe
