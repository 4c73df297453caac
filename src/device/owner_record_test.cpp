#include "device/owner_record.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/process_stat.hpp"
#include "device/processes_test.hpp"

namespace weir::device {
namespace {

TEST(OwnerRecord, ParsingAPageGivesTheRecordBack) {
  OwnerRecord record = make_owner_record("nightly \"run\"\n");
  record.released_at = 17;
  const std::string page = to_page(record);
  EXPECT_EQ(page.size(), kRecordBytes);
  const auto back = parse_page(page);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->process.pid, getpid());
  EXPECT_EQ(back->process.start_ticks, record.process.start_ticks);
  EXPECT_EQ(back->job, record.job);
  EXPECT_EQ(back->nonce, record.nonce);
  EXPECT_EQ(back->released_at, 17);
  EXPECT_EQ(liveness_of(back->process), Liveness::alive);
}

TEST(OwnerRecord, LongTextsFitTheirPage) {
  OwnerRecord record = make_owner_record(std::string(100000, '\x01'));
  record.command = std::string(100000, '\xff');
  const auto back = parse_page(to_page(record));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->nonce, record.nonce);
}

TEST(OwnerRecord, OtherTextsAreNoRecord) {
  for (const char* page :
       {"", "{}", "[]", "{\"pid\": 3}", "{\"pid\": \"x\", \"nonce\": \"a\"}", "null", "\xff\xfe", "{"})
    EXPECT_FALSE(parse_page(page)) << page;
}

TEST(OwnerRecord, ItsDescriptionIsOneLine) {
  OwnerRecord record = make_owner_record("a\nb");
  record.command = "evil\x1b[2J\n";
  const std::string text = describe(record, record.acquired_at + 720);
  EXPECT_EQ(text.find('\n'), std::string::npos);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_NE(text.find("(12 min)"), std::string::npos) << text;
}

TEST(OwnerRecord, AnotherStartTimeIsAnotherProcess) {
  ProcessIdentity process = identify_this_process();
  EXPECT_EQ(liveness_of(process), Liveness::alive);
  ++process.start_ticks;
  EXPECT_EQ(liveness_of(process), Liveness::dead);
  ProcessIdentity ended = identify_this_process();
  ended.boot_id = "an earlier boot";
  EXPECT_EQ(liveness_of(ended), Liveness::dead);
  ProcessIdentity elsewhere = identify_this_process();
  elsewhere.pid_namespace += 1;
  EXPECT_EQ(liveness_of(elsewhere), Liveness::unknown);
}

TEST(OwnerRecord, StartTicksAreReadPastAnyName) {
  const std::string rest = " S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4711 20 21";
  EXPECT_EQ(parse_process_stat("42 (a)" + rest)->start_ticks, 4711u);
  EXPECT_EQ(parse_process_stat("42 (a) ) (b c)" + rest)->start_ticks, 4711u);
  EXPECT_FALSE(parse_process_stat("42 (a) S 1"));
  EXPECT_FALSE(parse_process_stat(""));
}

}  // namespace
}  // namespace weir::device
