#include "compute/vulkan/queue_dependencies.hpp"

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace weir::compute::vulkan {
namespace {

constexpr QueueRole kComputes = QueueRole::compute;
constexpr QueueRole kCopies = QueueRole::transfer;

/// Returns an access to bytes begin..end-1 of a buffer of 100 bytes.
Access range_access(std::uint64_t buffer, bool write, std::uint64_t begin = 0, std::uint64_t end = 100) {
  return {buffer, begin, end, write, AccessStage::compute};
}
Access whole_reads(std::uint64_t buffer) { return range_access(buffer, false); }
Access whole_writes(std::uint64_t buffer) { return range_access(buffer, true); }

struct Command {
  QueueRole queue;
  std::vector<Access> uses;
};

/// Returns the submission that each command waits for, if each command is a submission of its own; 0: none.
std::vector<Ticket> waits(const std::vector<Command>& commands) {
  QueueDependencies dependencies;
  std::array<Ticket, 2> last{};
  std::vector<Ticket> list;
  for (const Command& command : commands) {
    const Ticket wait = dependencies.find_dependency(command.queue, command.uses);
    if (wait > 0) dependencies.record_wait(command.queue, wait);
    dependencies.record_accesses(command.queue, ++last.at(static_cast<std::size_t>(command.queue)), command.uses);
    list.push_back(wait);
  }
  return list;
}

TEST(QueueDependencies, ThreeTilesInTwoSlots) {
  // Buffers: 1 and 2 upload, 11 and 12 input, 5 arena, 21 and 22 result, 31 and 32 download.
  const std::vector<Command> commands{
      {kCopies, {whole_reads(1), whole_writes(11)}},                      // copy to the device
      {kComputes, {whole_reads(11), whole_writes(5), whole_writes(21)}},  // waits for this copy
      {kCopies, {whole_reads(2), whole_writes(12)}},                      // at the same time as the first computation
      {kComputes, {whole_reads(12), whole_writes(5), whole_writes(22)}},
      {kCopies, {whole_reads(21), whole_writes(31)}},  // at the same time as the second computation
      {kCopies, {whole_reads(1), whole_writes(11)}},   // needs the first computation's end; an earlier wait covers it
      {kComputes,
       {whole_reads(11), whole_writes(5),
        whole_writes(21)}},  // waits until the first result and the third input are copied
      {kCopies, {whole_reads(22), whole_writes(32)}},
      {kCopies, {whole_reads(21), whole_writes(31)}},
  };
  EXPECT_EQ(waits(commands), (std::vector<Ticket>{0, 1, 0, 2, 1, 0, 4, 2, 3}));
}

TEST(QueueDependencies, ReadAfterWriteWriteAfterReadWriteAfterWrite) {
  EXPECT_EQ(waits({{kComputes, {whole_writes(1)}}, {kCopies, {whole_reads(1)}}}), (std::vector<Ticket>{0, 1}));
  EXPECT_EQ(waits({{kComputes, {whole_reads(1)}}, {kCopies, {whole_writes(1)}}}), (std::vector<Ticket>{0, 1}));
  EXPECT_EQ(waits({{kComputes, {whole_writes(1)}}, {kCopies, {whole_writes(1)}}}), (std::vector<Ticket>{0, 1}));
  EXPECT_EQ(waits({{kComputes, {whole_reads(1)}}, {kCopies, {whole_reads(1)}}}), (std::vector<Ticket>{0, 0}));
}

TEST(QueueDependencies, OneStreamDoesNotWaitForItself) {
  EXPECT_EQ(waits({{kCopies, {whole_writes(1)}}, {kCopies, {whole_reads(1)}}, {kCopies, {whole_writes(1)}}}),
            (std::vector<Ticket>{0, 0, 0}));
}

TEST(QueueDependencies, RangesThatDoNotOverlapNeedNoWait) {
  EXPECT_EQ(waits({{kComputes, {range_access(1, true, 0, 50)}}, {kCopies, {range_access(1, false, 50, 100)}}}),
            (std::vector<Ticket>{0, 0}));
}

TEST(QueueDependencies, WaitsOnceForTheLastConflictingSubmission) {
  EXPECT_EQ(waits({{kComputes, {whole_writes(1)}},
                   {kComputes, {whole_writes(1)}},
                   {kComputes, {whole_writes(2)}},
                   {kCopies, {whole_reads(1)}},
                   {kCopies, {whole_reads(1)}},
                   {kCopies, {whole_reads(2)}}}),
            (std::vector<Ticket>{0, 0, 0, 2, 0, 3}));
}

TEST(QueueDependencies, NoCommandWaitsForEndedSubmissions) {
  QueueDependencies dependencies;
  const std::vector<Access> first{whole_writes(1)}, second{whole_writes(2)};
  dependencies.record_accesses(kComputes, 1, first);
  dependencies.record_accesses(kComputes, 2, second);
  dependencies.remove_ended(kComputes, 1);
  EXPECT_EQ(dependencies.find_dependency(kCopies, first), 0U);
  EXPECT_EQ(dependencies.find_dependency(kCopies, second), 2U);
  dependencies.remove_ended(kComputes, 2);
  EXPECT_EQ(dependencies.tracked_accesses(), 0U);
}

}  // namespace
}  // namespace weir::compute::vulkan
