#include "base/channel.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace weir {
namespace {

TEST(Channel, SentBytesArriveBeforeTheEndOfTheStream) {
  auto channel = make_channel();
  ASSERT_TRUE(channel);
  const int here = channel->parent_end.get();
  std::vector<char> bytes(100);
  EXPECT_EQ(try_receive(here, bytes), 0u) << "nothing was sent yet";
  EXPECT_FALSE(wait_readable({&here, 1}, std::chrono::milliseconds{1}));
  EXPECT_TRUE(send_all(channel->child_end.get(), "hello"));
  EXPECT_TRUE(wait_readable({&here, 1}, std::chrono::milliseconds{1000}));
  channel->child_end = FileDescriptor{};
  const auto got = try_receive(here, bytes);
  ASSERT_TRUE(got);
  EXPECT_EQ((std::string{bytes.data(), *got}), "hello");
  EXPECT_FALSE(try_receive(here, bytes));
  EXPECT_FALSE(try_send(here, "anybody?"));
}

TEST(Channel, TrySendDoesNotWaitForTheReader) {
  auto channel = make_channel();
  ASSERT_TRUE(channel);
  const std::string much(std::size_t{1} << 20, 'x');
  for (int i = 0; i < 100; ++i) {
    const auto sent = try_send(channel->parent_end.get(), much);
    ASSERT_TRUE(sent);
    if (!*sent) return;
  }
  FAIL() << "a hundred MiB went into a channel that is not read";
}

/// recv() then first returns ECONNRESET, because the closed end had not read everything.
TEST(Channel, SentBytesArriveEvenIfTheSenderClosedWithUnreadData) {
  auto channel = make_channel();
  ASSERT_TRUE(channel);
  EXPECT_TRUE(send_all(channel->parent_end.get(), "never read"));
  EXPECT_TRUE(send_all(channel->child_end.get(), "last word"));
  channel->child_end = FileDescriptor{};
  std::vector<char> bytes(100);
  EXPECT_EQ(try_receive(channel->parent_end.get(), bytes), 9u);
  EXPECT_FALSE(try_receive(channel->parent_end.get(), bytes));
}

}  // namespace
}  // namespace weir
