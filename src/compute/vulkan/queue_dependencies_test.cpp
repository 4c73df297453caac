#include "compute/vulkan/queue_dependencies.hpp"

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace weir::compute::vulkan {
namespace {

constexpr QueueRole kComputes = QueueRole::compute;
constexpr QueueRole kCopies = QueueRole::transfer;

Access whole_access(std::uint64_t buffer, bool write, std::uint64_t begin = 0, std::uint64_t end = 100) {
  return {buffer, begin, end, write, AccessStage::compute};
}
Access whole_reads(std::uint64_t buffer) { return whole_access(buffer, false); }
Access whole_writes(std::uint64_t buffer) { return whole_access(buffer, true); }

struct Command {
  QueueRole queue;
  std::vector<Access> uses;
};

/// What each command waits for, if each is a submission of its own.
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
  // Upload 1 and 2, input 11 and 12, result 21 and 22, download 31 and 32; between them the arena, 5.
  const std::vector<Command> commands{
      {kCopies, {whole_reads(1), whole_writes(11)}},                      // to the device
      {kComputes, {whole_reads(11), whole_writes(5), whole_writes(21)}},  // after it
      {kCopies, {whole_reads(2), whole_writes(12)}},                      // while the first is computed
      {kComputes, {whole_reads(12), whole_writes(5), whole_writes(22)}},
      {kCopies, {whole_reads(21), whole_writes(31)}},  // while the second is
      {kCopies, {whole_reads(1), whole_writes(11)}},   // the first has read its input: that is known already
      {kComputes,
       {whole_reads(11), whole_writes(5),
        whole_writes(21)}},  // not before the first result was copied and the third input is there
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
  EXPECT_EQ(waits({{kComputes, {whole_access(1, true, 0, 50)}}, {kCopies, {whole_access(1, false, 50, 100)}}}),
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
