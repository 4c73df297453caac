#include "device/lease.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <stdexcept>
#include <thread>

#include "device/processes_test.hpp"

namespace weir::device {
namespace {

using test::eventually;
using test::Folder;
using test::Shared;
using test::start_child;
using test::wait_for;

const Environment kEmptyEnvironment = [](const char*) { return std::nullopt; };

Environment with_lease(const std::string& value) {
  return [value](const char* name) {
    return std::string_view{name} == "WEIR_LEASE" ? std::optional{value} : std::nullopt;
  };
}

LeaseRequest request(std::vector<std::string> keys, std::chrono::milliseconds wait = std::chrono::seconds{120}) {
  return {.keys = std::move(keys), .max_wait = wait, .job = "a test"};
}

TEST(Lease, ASecondRequestReportsTheHolder) {
  const Folder folder;
  const auto held = acquire_lease(folder.path(), request({"a"}), kEmptyEnvironment);
  ASSERT_TRUE(held) << held.error().what;
  EXPECT_EQ(held->keys(), std::vector<std::string>{"a"});
  int reported = 0;
  const auto refused = acquire_lease(
      folder.path(), request({"a"}, std::chrono::milliseconds{30}), kEmptyEnvironment,
      {.stop = {}, .on_wait = [&](const std::vector<BusyDevice>& found) { reported += found.size() == 1; }});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::timed_out);
  EXPECT_NE(refused.error().what.find("pid " + std::to_string(getpid())), std::string::npos) << refused.error().what;
  EXPECT_NE(refused.error().what.find("job 'a test'"), std::string::npos) << refused.error().what;
  EXPECT_EQ(reported, 1);
}

TEST(Lease, AReleasedLeaseCanBeAcquiredAgain) {
  const Folder folder;
  auto held = acquire_lease(folder.path(), request({"a"}), kEmptyEnvironment);
  ASSERT_TRUE(held);
  held->release();
  held->release();
  EXPECT_TRUE(acquire_lease(folder.path(), request({"a"}, {}), kEmptyEnvironment));
}

TEST(Lease, AStopRequestEndsTheWait) {
  const Folder folder;
  const auto held = acquire_lease(folder.path(), request({"a"}), kEmptyEnvironment);
  ASSERT_TRUE(held);
  std::stop_source stop;
  stop.request_stop();
  const auto refused =
      acquire_lease(folder.path(), request({"a"}), kEmptyEnvironment, {.stop = stop.get_token(), .on_wait = {}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::cancelled);
}

TEST(Lease, RefusesInvalidRequests) {
  const Folder folder;
  for (const LeaseRequest& wrong :
       {LeaseRequest{}, LeaseRequest{.keys = {"a", "a"}, .count = 2}, LeaseRequest{.keys = {"a/b"}},
        LeaseRequest{.keys = {"a"}, .slots = kMaxSlots + 1}}) {
    const auto refused = acquire_lease(folder.path(), wrong, kEmptyEnvironment);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::invalid_argument);
  }
}

/// The memory that the processes of the next test share.
struct Crowd {
  std::atomic<int> violations = 0;             // times that two processes held one device
  std::atomic<int> acquired = 0;               // number of leases that were acquired
  std::atomic<bool> must_end = false;          // the processes must end
  std::array<std::atomic<pid_t>, 2> holder{};  // process that holds each device; a killed process leaves its id here
  std::atomic<pid_t> doomed = 0;               // process that was killed, and maybe not yet reaped
};

/// Acquires and releases one of the two devices until `must_end`; checks each time that no other process holds it.
int crowd_member(const std::filesystem::path& folder, Crowd& crowd) {
  const std::array<std::string, 2> keys{"a", "b"};
  while (!crowd.must_end) {
    auto lease = acquire_lease(folder, request({"a", "b"}), kEmptyEnvironment);
    if (!lease) return 1;
    const std::size_t device = lease->keys().front() == keys[0] ? 0 : 1;
    const pid_t before = crowd.holder[device].exchange(getpid());
    if (before != 0 && before != crowd.doomed && kill(before, 0) == 0) ++crowd.violations;
    std::this_thread::sleep_for(std::chrono::microseconds{500});
    if (crowd.holder[device] != getpid()) ++crowd.violations;
    crowd.holder[device] = 0;
    ++crowd.acquired;
    lease->release();
  }
  return 0;
}

TEST(Lease, FiftyProcessesAndKillsNeverShareADevice) {
  const Folder folder;
  const Shared<Crowd> crowd;
  std::vector<pid_t> members;
  members.reserve(50);
  const auto start = [&] { return start_child([&] { return crowd_member(folder.path(), *crowd); }); };
  for (int i = 0; i < 50; ++i) members.push_back(start());
  int kills = 0;
  for (int round = 0; round < 60; ++round) {
    const int acquired = crowd->acquired;
    ASSERT_TRUE(eventually([&] { return crowd->acquired > acquired + 3; }))
        << "no process acquires a lease after " << kills << " kills";
    // Half of the kills hit a process that holds the device.
    const pid_t holder = crowd->holder[static_cast<std::size_t>(round % 2)];
    auto victim = std::find(members.begin(), members.end(), holder);
    if (victim == members.end() || round % 4 > 1) victim = members.begin() + round % 50;
    crowd->doomed = *victim;
    kill(*victim, SIGKILL);
    EXPECT_EQ(wait_for(*victim), 128 + SIGKILL);
    ++kills;
    *victim = start();
  }
  crowd->must_end = true;
  for (const pid_t member : members) EXPECT_EQ(wait_for(member), 0);
  EXPECT_EQ(crowd->violations, 0);
  EXPECT_EQ(kills, 60);
  for (const char* key : {"a", "b"}) EXPECT_TRUE(acquire_lease(folder.path(), request({key}, {}), kEmptyEnvironment));
}

TEST(Lease, WaitersComeInTheirOrderAndTheDeadAreSkipped) {
  const Folder folder;
  struct Order {
    std::array<std::atomic<int>, 20> got{};  // numbers of the waiters, in the order in which they got the lease
    std::atomic<int> count = 0;
  };
  const Shared<Order> order;
  auto held = acquire_lease(folder.path(), request({"a"}), kEmptyEnvironment);
  ASSERT_TRUE(held);
  const auto file = LeaseFile::open(folder.path(), "a");
  ASSERT_TRUE(file);
  std::vector<pid_t> waiters;
  waiters.reserve(20);
  for (int i = 0; i < 20; ++i) {
    waiters.push_back(start_child([&, i] {
      auto lease = acquire_lease(folder.path(), request({"a"}), kEmptyEnvironment);
      if (!lease) return 1;
      order->got[static_cast<std::size_t>(order->count++)] = i;
      return 0;
    }));
    ASSERT_TRUE(eventually([&] { return *file->count_waiting() == i + 1; }));
  }
  kill(waiters[7], SIGKILL);
  EXPECT_EQ(wait_for(waiters[7]), 128 + SIGKILL);
  EXPECT_EQ(*file->count_waiting(), 19);
  held->release();
  for (int i = 0; i < 20; ++i) {
    const pid_t waiter = waiters[static_cast<std::size_t>(i)];
    EXPECT_EQ(i == 7 ? 0 : wait_for(waiter), 0);
  }
  ASSERT_EQ(order->count, 19);
  for (int place = 0; place < 19; ++place)
    EXPECT_EQ(order->got[static_cast<std::size_t>(place)], place < 7 ? place : place + 1);
}

TEST(Lease, SharersGetSlotsAndExcludeAnExclusiveHolder) {
  const Folder folder;
  LeaseRequest share = request({"a"}, {});
  share.slots = 2;
  auto first = acquire_lease(folder.path(), share, kEmptyEnvironment);
  auto second = acquire_lease(folder.path(), share, kEmptyEnvironment);
  ASSERT_TRUE(first && second);
  EXPECT_FALSE(acquire_lease(folder.path(), share, kEmptyEnvironment));
  EXPECT_FALSE(acquire_lease(folder.path(), request({"a"}, {}), kEmptyEnvironment));
  const auto file = LeaseFile::open(folder.path(), "a");
  ASSERT_TRUE(file);
  const auto holders = file->holders();
  ASSERT_TRUE(holders);
  ASSERT_EQ(holders->size(), 2u);
  EXPECT_EQ((*holders)[0].slot, 1);
  EXPECT_EQ((*holders)[1].slot, 2);
  first->release();
  EXPECT_FALSE(acquire_lease(folder.path(), request({"a"}, {}), kEmptyEnvironment));
  second->release();
  const auto whole = acquire_lease(folder.path(), request({"a"}, {}), kEmptyEnvironment);
  ASSERT_TRUE(whole);
  EXPECT_FALSE(acquire_lease(folder.path(), share, kEmptyEnvironment));
}

TEST(Lease, AllSharersAreFoundAfterASlotIsTakenAgain) {
  const Folder folder;
  LeaseRequest share = request({"a"}, {});
  share.slots = 3;
  auto first = acquire_lease(folder.path(), share, kEmptyEnvironment);
  const auto second = acquire_lease(folder.path(), share, kEmptyEnvironment);
  ASSERT_TRUE(first && second);
  first->release();
  const auto third = acquire_lease(folder.path(), share, kEmptyEnvironment);
  ASSERT_TRUE(third);
  // The kernel has the lock on slot 1 after the lock on slot 2 now, because it is newer.
  const auto holders = LeaseFile::open(folder.path(), "a")->holders();
  ASSERT_TRUE(holders);
  ASSERT_EQ(holders->size(), 2u);
  EXPECT_EQ((*holders)[0].slot, 1);
  EXPECT_EQ((*holders)[1].slot, 2);
  const auto others = second->other_holders();
  ASSERT_TRUE(others);
  ASSERT_EQ(others->size(), 1u);
  EXPECT_EQ(others->front().slot, 1);
}

TEST(Lease, WaitersAreCountedInAnyOrderOfTheirTickets) {
  const Folder folder;
  const auto reader = LeaseFile::open(folder.path(), "a");
  ASSERT_TRUE(reader);
  std::vector<LeaseFile> waiters;
  for (const std::uint64_t ticket : std::array<std::uint64_t, 5>{7, 3, 8, 1, 5}) {
    waiters.push_back(*LeaseFile::open(folder.path(), "a"));
    ASSERT_TRUE(*waiters.back().enqueue(ticket));
    EXPECT_EQ(*reader->count_waiting(), static_cast<int>(waiters.size()));
  }
}

TEST(Lease, ASharerDoesNotOvertakeAnEarlierExclusiveRequest) {
  const Folder folder;
  LeaseRequest share = request({"a"}, {});
  share.slots = 2;
  auto sharer = acquire_lease(folder.path(), share, kEmptyEnvironment);
  ASSERT_TRUE(sharer);
  const pid_t exclusive =
      start_child([&] { return acquire_lease(folder.path(), request({"a"}), kEmptyEnvironment) ? 0 : 1; });
  const auto file = LeaseFile::open(folder.path(), "a");
  ASSERT_TRUE(eventually([&] { return *file->count_waiting() == 1; }));
  EXPECT_FALSE(acquire_lease(folder.path(), share, kEmptyEnvironment))
      << "a slot is free, but an earlier request waits";
  sharer->release();
  EXPECT_EQ(wait_for(exclusive), 0);
}

TEST(Lease, SeveralDevicesAreTakenAllOrNone) {
  const Folder folder;
  LeaseRequest two = request({"c", "b", "a"}, {});
  two.count = 2;
  auto held = acquire_lease(folder.path(), two, kEmptyEnvironment);
  ASSERT_TRUE(held);
  EXPECT_EQ(held->keys(), (std::vector<std::string>{"a", "b"}));
  EXPECT_FALSE(acquire_lease(folder.path(), two, kEmptyEnvironment));
  EXPECT_TRUE(acquire_lease(folder.path(), request({"c"}, {}), kEmptyEnvironment))
      << "the refused request for two must not keep one";
}

TEST(Lease, ManyRequestsForTwoOfThreeDevicesAllSucceed) {
  const Folder folder;
  const Shared<std::atomic<int>> acquired;
  std::vector<pid_t> members;
  members.reserve(12);
  for (int i = 0; i < 12; ++i) {
    members.push_back(start_child([&, i] {
      for (int turn = 0; turn < 10; ++turn) {
        LeaseRequest wanted = request({"a", "b", "c"});
        wanted.count = 1 + static_cast<std::size_t>(i % 3);
        if (!acquire_lease(folder.path(), wanted, kEmptyEnvironment)) return 1;
        ++*acquired;
      }
      return 0;
    }));
  }
  for (const pid_t member : members) EXPECT_EQ(wait_for(member), 0);
  EXPECT_EQ(*acquired, 120);
}

TEST(Lease, AChildJoinsItsParentsLease) {
  const Folder folder;
  auto held = acquire_lease(folder.path(), request({"a"}), kEmptyEnvironment);
  ASSERT_TRUE(held);
  const Environment inherited = with_lease(held->environment_value());
  const pid_t child = start_child([&] {
    const auto joined = acquire_lease(folder.path(), request({"b", "a"}, {}), inherited);
    return joined && joined->is_joined() && joined->keys().front() == "a" ? 0 : 1;
  });
  EXPECT_EQ(wait_for(child), 0);
  EXPECT_FALSE(acquire_lease(folder.path(), request({"a"}, {}), kEmptyEnvironment))
      << "the lease must survive the end of the child";
  EXPECT_TRUE(acquire_lease(folder.path(), request({"a"}, {}), inherited))
      << "the thread that holds the lease joins it";
  bool other_thread_joins = true;
  std::thread{[&] {
    other_thread_joins = static_cast<bool>(acquire_lease(folder.path(), request({"a"}, {}), inherited));
  }}.join();
  EXPECT_FALSE(other_thread_joins) << "another thread must wait like another process";
  held->release();
  const auto late = acquire_lease(folder.path(), request({"a"}, {}), inherited);
  ASSERT_TRUE(late);
  EXPECT_FALSE(late->is_joined()) << "the lease to join was released";
}

TEST(Lease, AWrongNonceJoinsNothing) {
  const Folder folder;
  const auto held = acquire_lease(folder.path(), request({"a"}), kEmptyEnvironment);
  ASSERT_TRUE(held);
  for (const char* claim : {"a:0123", "a:0123@1.2", "a:", ":x", "a", ",,,", "b:0123", "a:@", "@a:0123"})
    EXPECT_FALSE(acquire_lease(folder.path(), request({"a"}, {}), with_lease(claim))) << claim;
}

TEST(Lease, AClaimOfAnotherFolderJoinsNothing) {
  const Folder folder;
  const Folder other;
  const auto held = acquire_lease(folder.path(), request({"a"}), kEmptyEnvironment);
  const auto elsewhere = acquire_lease(other.path(), request({"a"}), kEmptyEnvironment);
  ASSERT_TRUE(held && elsewhere);
  EXPECT_NE(held->claim().folder, elsewhere->claim().folder);
  EXPECT_FALSE(acquire_lease(folder.path(), request({"a"}, {}), with_lease(elsewhere->environment_value())));
}

TEST(Lease, AReleasedLeaseIsFreeAlthoughAForkedChildLives) {
  const Folder folder;
  const Shared<std::atomic<bool>> must_end;
  auto held = acquire_lease(folder.path(), request({"a"}), kEmptyEnvironment);
  ASSERT_TRUE(held);
  const pid_t child = start_child([&] {
    eventually([&] { return must_end->load(); });
    return 0;
  });
  held->release();
  EXPECT_TRUE(acquire_lease(folder.path(), request({"a"}, {}), kEmptyEnvironment))
      << "although the child still has the descriptor";
  *must_end = true;
  EXPECT_EQ(wait_for(child), 0);
}

TEST(Lease, AForkedChildThatDestroysItsCopyReleasesNothing) {
  const Folder folder;
  auto held = acquire_lease(folder.path(), request({"a"}), kEmptyEnvironment);
  ASSERT_TRUE(held);
  const pid_t child = start_child([&] {
    { const Lease destroyed = *std::move(held); }
    return 0;
  });
  EXPECT_EQ(wait_for(child), 0);
  const auto file = LeaseFile::open(folder.path(), "a");
  EXPECT_TRUE(*file->is_held(0));
  EXPECT_FALSE(file->read_record(0)->released_at);
}

TEST(Lease, ThePreviousHolderOfTheWholeDeviceMayHaveSharedIt) {
  const Folder folder;
  auto file = LeaseFile::open(folder.path(), "a");
  ASSERT_TRUE(file);
  OwnerRecord exclusive = make_owner_record("before");
  exclusive.acquired_at = 1000;
  exclusive.released_at = 1500;
  OwnerRecord sharer = make_owner_record("after");
  sharer.acquired_at = 2000;
  ASSERT_TRUE(file->write_record(0, exclusive));
  ASSERT_TRUE(file->write_record(2, sharer));
  const auto held = acquire_lease(folder.path(), request({"a"}), kEmptyEnvironment);
  ASSERT_TRUE(held);
  ASSERT_TRUE(held->previous_holder());
  EXPECT_EQ(held->previous_holder()->job, "after");
}

TEST(Lease, DiesWithASupervisorWhoseGrandchildLives) {
  const Folder folder;
  struct State {
    std::atomic<pid_t> grandchild = 0;
    std::atomic<bool> enough = false;
  };
  const Shared<State> state;
  const pid_t supervisor = start_child([&] {
    auto held = acquire_lease(folder.path(), request({"a"}), kEmptyEnvironment);
    if (!held) return 1;
    const pid_t worker = fork();
    if (worker == 0) {
      execl("/bin/sleep", "sleep", "1000", nullptr);  // exec closes the copied descriptor of the lease file
      _exit(127);
    }
    state->grandchild = worker;
    for (;;) pause();
  });
  // Waits until the grandchild executes another program.
  ASSERT_TRUE(eventually([&] {
    return state->grandchild != 0 &&
           std::filesystem::read_symlink("/proc/" + std::to_string(state->grandchild) + "/exe").filename() !=
               "weir_tests";
  }));
  kill(supervisor, SIGKILL);
  wait_for(supervisor);
  // The lease becomes free although the grandchild still lives.
  EXPECT_TRUE(eventually(
      [&] { return static_cast<bool>(acquire_lease(folder.path(), request({"a"}, {}), kEmptyEnvironment)); }));
  EXPECT_EQ(kill(state->grandchild, 0), 0);
  kill(state->grandchild, SIGKILL);
}

TEST(Lease, AChildForkedWhileAnotherThreadWaitsKeepsNoTicket) {
  const Folder folder;
  const auto held = acquire_lease(folder.path(), request({"a"}), kEmptyEnvironment);
  ASSERT_TRUE(held);
  const auto file = LeaseFile::open(folder.path(), "a");
  const Shared<std::atomic<pid_t>> grandchild;
  const pid_t waiter = start_child([&] {
    std::thread waits{
        [&] { (void)static_cast<bool>(acquire_lease(folder.path(), request({"a"}), kEmptyEnvironment)); }};
    if (!eventually([&] { return *LeaseFile::open(folder.path(), "a")->count_waiting() == 1; })) return 1;
    before_fork();
    const pid_t child = fork();
    if (child == 0) {
      after_fork_in_child();
    } else {
      after_fork_in_parent();
      *grandchild = child;
    }
    for (;;) pause();
  });
  ASSERT_TRUE(eventually([&] { return *grandchild != 0; }));
  kill(waiter, SIGKILL);
  wait_for(waiter);
  EXPECT_TRUE(eventually([&] { return *file->count_waiting() == 0; }));
  EXPECT_EQ(kill(*grandchild, 0), 0);
  kill(*grandchild, SIGKILL);
}

TEST(Lease, AnInterruptedWaitLeavesNothingInTheQueue) {
  const Folder folder;
  const auto held = acquire_lease(folder.path(), request({"a"}), kEmptyEnvironment);
  const auto file = LeaseFile::open(folder.path(), "a");
  int asked = 0;
  const auto cancelled = acquire_lease(folder.path(), request({"a"}), kEmptyEnvironment,
                                       {.is_interrupted = [&] { return *file->count_waiting() == 1 && ++asked == 3; }});
  ASSERT_FALSE(cancelled);
  EXPECT_EQ(cancelled.error().code, Errc::cancelled);
  EXPECT_EQ(*file->count_waiting(), 0);
  EXPECT_THROW(
      (void)static_cast<bool>(acquire_lease(folder.path(), request({"a"}), kEmptyEnvironment,
                                            {.is_interrupted = []() -> bool { throw std::runtime_error{"x"}; }})),
      std::runtime_error);
  EXPECT_EQ(*file->count_waiting(), 0);
  EXPECT_EQ(asked, 3);
}

TEST(Lease, ARemovedLeaseFileStillExcludesOthers) {
  const Folder folder;
  auto held = acquire_lease(folder.path(), request({"a"}), kEmptyEnvironment);
  ASSERT_TRUE(held);
  const pid_t waiter = start_child([&] {
    auto lease = acquire_lease(folder.path(), request({"a"}), kEmptyEnvironment);
    if (!lease) return 1;
    // A new request must find the held lease in the file that now has this path.
    return acquire_lease(folder.path(), request({"a"}, {}), kEmptyEnvironment) ? 2 : 0;
  });
  const auto file = LeaseFile::open(folder.path(), "a");
  ASSERT_TRUE(eventually([&] { return *file->count_waiting() == 1; }));
  std::filesystem::remove(folder.path() / "gpu-a.lease");
  const auto meanwhile = acquire_lease(folder.path(), {.keys = {"a"}, .max_wait = {}}, kEmptyEnvironment);
  ASSERT_FALSE(meanwhile) << "the device is held by the lock on the removed file";
  EXPECT_NE(meanwhile.error().what.find("its lease file was removed"), std::string::npos) << meanwhile.error().what;
  held->release();
  EXPECT_EQ(wait_for(waiter), 0);
}

TEST(Lease, ATimeoutNamesThePresentHolderNotThatOfARemovedLeaseFile) {
  const Folder folder;
  auto earlier = acquire_lease(folder.path(), request({"a"}), kEmptyEnvironment);
  ASSERT_TRUE(earlier);
  std::filesystem::remove(folder.path() / "gpu-a.lease");
  auto present = LeaseFile::open(folder.path(), "a");
  ASSERT_TRUE(present);
  // The first try finds the holder of the removed file; then that one ends, and another process gets the device.
  const auto refused = acquire_lease(folder.path(), request({"a"}, std::chrono::seconds{1}), kEmptyEnvironment,
                                     {.on_wait = [&](const std::vector<BusyDevice>& found) {
                                       EXPECT_EQ(found.front().key, "a (its lease file was removed)");
                                       earlier->release();
                                       EXPECT_EQ(*present->try_acquire(0), 0);
                                       EXPECT_TRUE(present->write_record(0, make_owner_record("the present job")));
                                     }});
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().what.find("the present job"), std::string::npos) << refused.error().what;
  EXPECT_EQ(refused.error().what.find("its lease file was removed"), std::string::npos) << refused.error().what;
}

}  // namespace
}  // namespace weir::device
