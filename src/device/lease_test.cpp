#include "device/lease.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
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

const Environment kNothingSet = [](const char*) { return std::nullopt; };

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
  const auto held = acquire_lease(folder.path(), request({"a"}), kNothingSet);
  ASSERT_TRUE(held) << held.error().what;
  EXPECT_EQ(held->keys(), std::vector<std::string>{"a"});
  int reported = 0;
  const auto refused = acquire_lease(
      folder.path(), request({"a"}, std::chrono::milliseconds{30}), kNothingSet,
      {.stop = {}, .on_wait = [&](const std::vector<BusyDevice>& found) { reported += found.size() == 1; }});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::timed_out);
  EXPECT_NE(refused.error().what.find("pid " + std::to_string(getpid())), std::string::npos) << refused.error().what;
  EXPECT_NE(refused.error().what.find("job 'a test'"), std::string::npos) << refused.error().what;
  EXPECT_EQ(reported, 1);
}

TEST(Lease, IsFreeOnceGivenBack) {
  const Folder folder;
  auto held = acquire_lease(folder.path(), request({"a"}), kNothingSet);
  ASSERT_TRUE(held);
  held->release();
  held->release();
  EXPECT_TRUE(acquire_lease(folder.path(), request({"a"}, {}), kNothingSet));
}

TEST(Lease, StopsWaitingWhenAsked) {
  const Folder folder;
  const auto held = acquire_lease(folder.path(), request({"a"}), kNothingSet);
  ASSERT_TRUE(held);
  std::stop_source stop;
  stop.request_stop();
  const auto refused =
      acquire_lease(folder.path(), request({"a"}), kNothingSet, {.stop = stop.get_token(), .on_wait = {}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::cancelled);
}

TEST(Lease, RefusesInvalidRequests) {
  const Folder folder;
  for (const LeaseRequest& wrong :
       {LeaseRequest{}, LeaseRequest{.keys = {"a", "a"}, .count = 2}, LeaseRequest{.keys = {"a/b"}},
        LeaseRequest{.keys = {"a"}, .slots = kMaxSlots + 1}}) {
    const auto refused = acquire_lease(folder.path(), wrong, kNothingSet);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::invalid_argument);
  }
}

/// The memory that the processes of the next test share.
struct Crowd {
  std::atomic<int> broken = 0;                 // number of violations of exclusion
  std::atomic<int> turns = 0;                  // number of leases that were acquired
  std::atomic<bool> enough = false;            // the processes must end
  std::array<std::atomic<pid_t>, 2> holder{};  // process that holds each device; a killed process leaves its id here
  std::atomic<pid_t> doomed = 0;               // process that was killed, and maybe not yet reaped
};

/// Acquires and releases the device in an endless loop; checks each time that no other process holds it.
int crowd_member(const std::filesystem::path& folder, Crowd& crowd) {
  const std::array<std::string, 2> keys{"a", "b"};
  while (!crowd.enough) {
    auto lease = acquire_lease(folder, request({"a", "b"}), kNothingSet);
    if (!lease) return 1;
    const std::size_t device = lease->keys().front() == keys[0] ? 0 : 1;
    const pid_t before = crowd.holder[device].exchange(getpid());
    if (before != 0 && before != crowd.doomed && kill(before, 0) == 0) ++crowd.broken;
    std::this_thread::sleep_for(std::chrono::microseconds{500});
    if (crowd.holder[device] != getpid()) ++crowd.broken;
    crowd.holder[device] = 0;
    ++crowd.turns;
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
    const int turns = crowd->turns;
    ASSERT_TRUE(eventually([&] { return crowd->turns > turns + 3; })) << "after " << kills << " kills nobody gets on";
    // Half of the kills hit a process that holds the device.
    const pid_t inside = crowd->holder[static_cast<std::size_t>(round % 2)];
    auto victim = std::find(members.begin(), members.end(), inside);
    if (victim == members.end() || round % 4 > 1) victim = members.begin() + round % 50;
    crowd->doomed = *victim;
    kill(*victim, SIGKILL);
    EXPECT_EQ(wait_for(*victim), 128 + SIGKILL);
    ++kills;
    *victim = start();
  }
  crowd->enough = true;
  for (const pid_t member : members) EXPECT_EQ(wait_for(member), 0);
  EXPECT_EQ(crowd->broken, 0);
  EXPECT_EQ(kills, 60);
  for (const char* key : {"a", "b"}) EXPECT_TRUE(acquire_lease(folder.path(), request({key}, {}), kNothingSet));
}

TEST(Lease, WaitersComeInTheirOrderAndTheDeadAreSkipped) {
  const Folder folder;
  struct Order {
    std::array<std::atomic<int>, 20> got{};
    std::atomic<int> count = 0;
  };
  const Shared<Order> order;
  auto held = acquire_lease(folder.path(), request({"a"}), kNothingSet);
  ASSERT_TRUE(held);
  const auto file = LeaseFile::open(folder.path(), "a");
  ASSERT_TRUE(file);
  std::vector<pid_t> waiters;
  waiters.reserve(20);
  for (int i = 0; i < 20; ++i) {
    waiters.push_back(start_child([&, i] {
      auto lease = acquire_lease(folder.path(), request({"a"}), kNothingSet);
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

TEST(Lease, SharersTakeSlotsAndAnExclusiveOneWaitsForAll) {
  const Folder folder;
  LeaseRequest share = request({"a"}, {});
  share.slots = 2;
  auto first = acquire_lease(folder.path(), share, kNothingSet);
  auto second = acquire_lease(folder.path(), share, kNothingSet);
  ASSERT_TRUE(first && second);
  EXPECT_FALSE(acquire_lease(folder.path(), share, kNothingSet));
  EXPECT_FALSE(acquire_lease(folder.path(), request({"a"}, {}), kNothingSet));
  const auto file = LeaseFile::open(folder.path(), "a");
  ASSERT_TRUE(file);
  const auto holders = file->holders();
  ASSERT_TRUE(holders);
  ASSERT_EQ(holders->size(), 2u);
  EXPECT_EQ((*holders)[0].slot, 1);
  EXPECT_EQ((*holders)[1].slot, 2);
  first->release();
  EXPECT_FALSE(acquire_lease(folder.path(), request({"a"}, {}), kNothingSet));
  second->release();
  const auto whole = acquire_lease(folder.path(), request({"a"}, {}), kNothingSet);
  ASSERT_TRUE(whole);
  EXPECT_FALSE(acquire_lease(folder.path(), share, kNothingSet));
}

TEST(Lease, ASharerDoesNotOvertakeAWaitingExclusiveOne) {
  const Folder folder;
  LeaseRequest share = request({"a"}, {});
  share.slots = 2;
  auto sharer = acquire_lease(folder.path(), share, kNothingSet);
  ASSERT_TRUE(sharer);
  const pid_t whole = start_child([&] { return acquire_lease(folder.path(), request({"a"}), kNothingSet) ? 0 : 1; });
  const auto file = LeaseFile::open(folder.path(), "a");
  ASSERT_TRUE(eventually([&] { return *file->count_waiting() == 1; }));
  EXPECT_FALSE(acquire_lease(folder.path(), share, kNothingSet)) << "a slot is free, but somebody asked earlier";
  sharer->release();
  EXPECT_EQ(wait_for(whole), 0);
}

TEST(Lease, SeveralDevicesAreTakenAllOrNone) {
  const Folder folder;
  LeaseRequest two = request({"c", "b", "a"}, {});
  two.count = 2;
  auto held = acquire_lease(folder.path(), two, kNothingSet);
  ASSERT_TRUE(held);
  EXPECT_EQ(held->keys(), (std::vector<std::string>{"a", "b"}));
  EXPECT_FALSE(acquire_lease(folder.path(), two, kNothingSet));
  EXPECT_TRUE(acquire_lease(folder.path(), request({"c"}, {}), kNothingSet)) << "nothing was kept of the refused two";
}

TEST(Lease, ManyRequestsForTwoOfThreeDevicesAllSucceed) {
  const Folder folder;
  const Shared<std::atomic<int>> turns;
  std::vector<pid_t> members;
  members.reserve(12);
  for (int i = 0; i < 12; ++i) {
    members.push_back(start_child([&, i] {
      for (int turn = 0; turn < 10; ++turn) {
        LeaseRequest wanted = request({"a", "b", "c"});
        wanted.count = 1 + static_cast<std::size_t>(i % 3);
        if (!acquire_lease(folder.path(), wanted, kNothingSet)) return 1;
        ++*turns;
      }
      return 0;
    }));
  }
  for (const pid_t member : members) EXPECT_EQ(wait_for(member), 0);
  EXPECT_EQ(*turns, 120);
}

TEST(Lease, AChildJoinsItsParentsLease) {
  const Folder folder;
  auto held = acquire_lease(folder.path(), request({"a"}), kNothingSet);
  ASSERT_TRUE(held);
  const Environment inherited = with_lease(held->environment_value());
  const pid_t child = start_child([&] {
    const auto joined = acquire_lease(folder.path(), request({"b", "a"}, {}), inherited);
    return joined && joined->is_joined() && joined->keys().front() == "a" ? 0 : 1;
  });
  EXPECT_EQ(wait_for(child), 0);
  EXPECT_FALSE(acquire_lease(folder.path(), request({"a"}, {}), kNothingSet)) << "the child's end took nothing away";
  EXPECT_TRUE(acquire_lease(folder.path(), request({"a"}, {}), inherited)) << "the thread that holds it";
  bool other_thread = true;
  std::thread{[&] {
    other_thread = static_cast<bool>(acquire_lease(folder.path(), request({"a"}, {}), inherited));
  }}.join();
  EXPECT_FALSE(other_thread) << "another thread is a rival";
  held->release();
  const auto late = acquire_lease(folder.path(), request({"a"}, {}), inherited);
  ASSERT_TRUE(late);
  EXPECT_FALSE(late->is_joined()) << "there is nothing left to join";
}

TEST(Lease, AWrongNonceJoinsNothing) {
  const Folder folder;
  const auto held = acquire_lease(folder.path(), request({"a"}), kNothingSet);
  ASSERT_TRUE(held);
  for (const char* claim : {"a:0123", "a:0123@1.2", "a:", ":x", "a", ",,,", "b:0123", "a:@", "@a:0123"})
    EXPECT_FALSE(acquire_lease(folder.path(), request({"a"}, {}), with_lease(claim))) << claim;
}

TEST(Lease, AClaimOfAnotherFolderJoinsNothing) {
  const Folder folder;
  const Folder other;
  const auto held = acquire_lease(folder.path(), request({"a"}), kNothingSet);
  const auto elsewhere = acquire_lease(other.path(), request({"a"}), kNothingSet);
  ASSERT_TRUE(held && elsewhere);
  EXPECT_NE(held->claim().folder, elsewhere->claim().folder);
  EXPECT_FALSE(acquire_lease(folder.path(), request({"a"}, {}), with_lease(elsewhere->environment_value())));
}

TEST(Lease, AForkedChildThatLivesOnKeepsNoLease) {
  const Folder folder;
  const Shared<std::atomic<bool>> enough;
  auto held = acquire_lease(folder.path(), request({"a"}), kNothingSet);
  ASSERT_TRUE(held);
  const pid_t child = start_child([&] {
    eventually([&] { return enough->load(); });
    return 0;
  });
  held->release();
  EXPECT_TRUE(acquire_lease(folder.path(), request({"a"}, {}), kNothingSet)) << "the child still has the descriptor";
  *enough = true;
  EXPECT_EQ(wait_for(child), 0);
}

TEST(Lease, AForkedChildThatDropsItsCopyTakesNothing) {
  const Folder folder;
  auto held = acquire_lease(folder.path(), request({"a"}), kNothingSet);
  ASSERT_TRUE(held);
  const pid_t child = start_child([&] {
    { const Lease dropped = *std::move(held); }
    return 0;
  });
  EXPECT_EQ(wait_for(child), 0);
  const auto file = LeaseFile::open(folder.path(), "a");
  EXPECT_TRUE(*file->is_held(0));
  EXPECT_FALSE(file->read_record(0)->released_at);
}

TEST(Lease, DiesWithASupervisorWhoseGrandchildLives) {
  const Folder folder;
  struct State {
    std::atomic<pid_t> grandchild = 0;
    std::atomic<bool> enough = false;
  };
  const Shared<State> state;
  const pid_t supervisor = start_child([&] {
    auto held = acquire_lease(folder.path(), request({"a"}), kNothingSet);
    if (!held) return 1;
    const pid_t worker = fork();
    if (worker == 0) {
      execl("/bin/sleep", "sleep", "1000", nullptr);  // exec closes the copied descriptor of the lease file
      _exit(127);
    }
    state->grandchild = worker;
    for (;;) pause();
  });
  ASSERT_TRUE(eventually([&] {
    return state->grandchild != 0 &&
           std::filesystem::read_symlink("/proc/" + std::to_string(state->grandchild) + "/exe").filename() !=
               "weir_tests";
  }));
  kill(supervisor, SIGKILL);
  wait_for(supervisor);
  // The lease becomes free although the grandchild still lives.
  EXPECT_TRUE(
      eventually([&] { return static_cast<bool>(acquire_lease(folder.path(), request({"a"}, {}), kNothingSet)); }));
  EXPECT_EQ(kill(state->grandchild, 0), 0);
  kill(state->grandchild, SIGKILL);
}

TEST(Lease, AChildForkedWhileAnotherThreadWaitsKeepsNoTicket) {
  const Folder folder;
  const auto held = acquire_lease(folder.path(), request({"a"}), kNothingSet);
  ASSERT_TRUE(held);
  const auto file = LeaseFile::open(folder.path(), "a");
  const Shared<std::atomic<pid_t>> grandchild;
  const pid_t waiter = start_child([&] {
    std::thread waits{[&] { (void)static_cast<bool>(acquire_lease(folder.path(), request({"a"}), kNothingSet)); }};
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
  const auto held = acquire_lease(folder.path(), request({"a"}), kNothingSet);
  const auto file = LeaseFile::open(folder.path(), "a");
  int asked = 0;
  const auto cancelled = acquire_lease(folder.path(), request({"a"}), kNothingSet,
                                       {.is_interrupted = [&] { return *file->count_waiting() == 1 && ++asked == 3; }});
  ASSERT_FALSE(cancelled);
  EXPECT_EQ(cancelled.error().code, Errc::cancelled);
  EXPECT_EQ(*file->count_waiting(), 0);
  EXPECT_THROW(
      (void)static_cast<bool>(acquire_lease(folder.path(), request({"a"}), kNothingSet,
                                            {.is_interrupted = []() -> bool { throw std::runtime_error{"x"}; }})),
      std::runtime_error);
  EXPECT_EQ(*file->count_waiting(), 0);
  EXPECT_EQ(asked, 3);
}

TEST(Lease, AReplacedLeaseFileDoesNotSplitTheLock) {
  const Folder folder;
  auto held = acquire_lease(folder.path(), request({"a"}), kNothingSet);
  ASSERT_TRUE(held);
  const Shared<std::atomic<int>> got;
  const pid_t waiter = start_child([&] {
    auto lease = acquire_lease(folder.path(), request({"a"}), kNothingSet);
    if (!lease) return 1;
    // A new request must find the held lease in the file that now has this path.
    return acquire_lease(folder.path(), request({"a"}, {}), kNothingSet) ? 2 : 0;
  });
  const auto file = LeaseFile::open(folder.path(), "a");
  ASSERT_TRUE(eventually([&] { return *file->count_waiting() == 1; }));
  std::filesystem::remove(folder.path() / "gpu-a.lease");
  const auto meanwhile = acquire_lease(folder.path(), {.keys = {"a"}, .max_wait = {}}, kNothingSet);
  ASSERT_FALSE(meanwhile) << "it is held, under a file that has no name any more";
  EXPECT_NE(meanwhile.error().what.find("its lease file was removed"), std::string::npos) << meanwhile.error().what;
  held->release();
  EXPECT_EQ(wait_for(waiter), 0);
}

}  // namespace
}  // namespace weir::device
