// Tests of the queue between the thread that decodes or encodes and the thread that uses the rows.
#include "media/picture/row_queue.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace weir::media {
namespace {

std::vector<std::byte> counted(std::size_t count) {
  std::vector<std::byte> bytes(count);
  for (std::size_t i = 0; i < count; ++i) bytes[i] = static_cast<std::byte>(i * 7);
  return bytes;
}

TEST(RowQueue, DeliversInOrderWhateverThePieces) {
  const auto sent = counted(20000);
  for (const std::size_t capacity : {7, 64, 4096, 200000})
    for (const std::size_t piece : {1000, 333, 20000}) {
      RowQueue queue{capacity};
      std::thread producer{[&] {
        for (std::size_t at = 0; at < sent.size(); at += piece)
          ASSERT_TRUE(queue.write(std::span{sent}.subspan(at, std::min(piece, sent.size() - at))));
        queue.close(ok());
      }};
      std::vector<std::byte> got(sent.size());
      for (std::size_t at = 0; at < got.size(); at += 125) ASSERT_TRUE(queue.read(std::span{got}.subspan(at, 125)));
      producer.join();
      EXPECT_EQ(got, sent);
      EXPECT_FALSE(queue.read(std::span{got}.first(1)));  // the rows have ended
    }
}

TEST(RowQueue, TheProducerNeverRunsAheadByMoreThanTheCapacity) {
  RowQueue queue{1000};
  std::atomic<std::size_t> written{0};
  std::thread producer{[&] {
    const auto row = counted(10);
    while (queue.write(row)) written += 10;
  }};
  std::vector<std::byte> row(10);
  for (std::size_t taken = 10; taken <= 20000; taken += 10) {
    ASSERT_TRUE(queue.read(row));
    EXPECT_LE(written, taken + 1000);
  }
  queue.cancel(Error{Errc::cancelled, "enough"});
  producer.join();
}

TEST(RowQueue, RowsBeforeAnErrorAreDeliveredAndThenTheError) {
  RowQueue queue{100};
  ASSERT_TRUE(queue.write(counted(5)));
  queue.close(Error{Errc::corrupt, "row 2 is damaged"});
  std::vector<std::byte> row(5);
  EXPECT_TRUE(queue.read(row));
  const auto second = queue.read(row);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().what, "row 2 is damaged");
}

TEST(RowQueue, CancelWakesEitherSide) {
  RowQueue full{10}, empty{10};
  std::thread producer{[&] { EXPECT_FALSE(full.write(counted(20))); }};
  std::thread consumer{[&] {
    std::vector<std::byte> row(1);
    EXPECT_EQ(empty.read(row).error().code, Errc::cancelled);
  }};
  full.cancel(Error{Errc::cancelled, "stop"});
  empty.cancel(Error{Errc::cancelled, "stop"});
  producer.join();
  consumer.join();
}

}  // namespace
}  // namespace weir::media
