#include "base/channel.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace weir {
namespace {

TEST(Channel, WhatIsSentArrivesAndTheEndIsSeenAfterIt) {
  auto channel = make_channel();
  ASSERT_TRUE(channel);
  const int here = channel->ours.get();
  std::vector<char> bytes(100);
  EXPECT_EQ(receive_now(here, bytes), 0u) << "nothing has come yet";
  EXPECT_FALSE(wait_readable({&here, 1}, std::chrono::milliseconds{1}));
  EXPECT_TRUE(send_all(channel->theirs.get(), "hello"));
  EXPECT_TRUE(wait_readable({&here, 1}, std::chrono::milliseconds{1000}));
  channel->theirs = FileDescriptor{};
  const auto got = receive_now(here, bytes);
  ASSERT_TRUE(got);
  EXPECT_EQ((std::string{bytes.data(), *got}), "hello");
  EXPECT_FALSE(receive_now(here, bytes));
  EXPECT_FALSE(send_now(here, "anybody?"));
}

TEST(Channel, WhoDoesNotReadIsNotWaitedFor) {
  auto channel = make_channel();
  ASSERT_TRUE(channel);
  const std::string much(std::size_t{1} << 20, 'x');
  for (int i = 0; i < 100; ++i) {
    const auto sent = send_now(channel->ours.get(), much);
    ASSERT_TRUE(sent);
    if (!*sent) return;
  }
  FAIL() << "a hundred MiB went into a channel that nobody reads";
}

TEST(Channel, WhatACloserHadNotReadIsNoReasonToLoseWhatItSent) {
  auto channel = make_channel();
  ASSERT_TRUE(channel);
  EXPECT_TRUE(send_all(channel->ours.get(), "never read"));
  EXPECT_TRUE(send_all(channel->theirs.get(), "last word"));
  channel->theirs = FileDescriptor{};
  std::vector<char> bytes(100);
  EXPECT_EQ(receive_now(channel->ours.get(), bytes), 9u);
  EXPECT_FALSE(receive_now(channel->ours.get(), bytes));
}

}  // namespace
}  // namespace weir
