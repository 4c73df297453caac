#include "device/descendants.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <filesystem>
#include <fstream>

#include <sys/wait.h>
#include <unistd.h>

#include "device/marked_processes.hpp"

namespace weir::device {
namespace {

namespace fs = std::filesystem;

/// A folder with test versions of files in /proc. Process 10 has the children 11 and 12. Process 12 has the child 13,
/// which is dead.
class MadeUpProc : public testing::Test {
 protected:
  MadeUpProc() {
    std::array<char, 64> name{"/tmp/weir-tree-XXXXXX"};
    root_ = mkdtemp(name.data());
  }
  ~MadeUpProc() override { fs::remove_all(root_); }

  /// Writes the files of one process. Its name is "a) b", which the parser of stat must not mistake for the end.
  void put(pid_t pid, pid_t parent, char state, const std::string& children, bool has_children_file) const {
    const fs::path folder = root_ / "proc" / std::to_string(pid);
    fs::create_directories(folder / "task" / std::to_string(pid));
    std::ofstream{folder / "stat"} << pid << " (a) b) " << state << ' ' << parent
                                   << " 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 4711 0\n";
    if (has_children_file) std::ofstream{folder / "task" / std::to_string(pid) / "children"} << children;
  }
  void put_all(bool has_children_file) const {
    put(10, 1, 'S', "11 12 ", has_children_file);
    put(11, 10, 'R', "", has_children_file);
    put(12, 10, 'S', "13 ", has_children_file);
    put(13, 12, 'Z', "", has_children_file);
    put(14, 1, 'S', "", has_children_file);
  }

  fs::path root_;
};

TEST_F(MadeUpProc, ChildrenAreThoseThatTheKernelLists) {
  put_all(true);
  EXPECT_EQ(children_of(10, root_), (std::vector<pid_t>{11, 12}));
  EXPECT_EQ(find_descendants(10, root_), (std::vector<pid_t>{11, 12})) << "13 is dead";
  EXPECT_TRUE(find_descendants(14, root_).empty());
  EXPECT_TRUE(find_descendants(99, root_).empty());
}

TEST_F(MadeUpProc, WithoutAListOfChildrenTheParentsAreRead) {
  put_all(false);
  auto children = children_of(10, root_);
  std::sort(children.begin(), children.end());
  EXPECT_EQ(children, (std::vector<pid_t>{11, 12}));
  EXPECT_EQ(find_descendants(10, root_), (std::vector<pid_t>{11, 12}));
}

/// Runs in a separate process, because the test calls adopt_orphans(): only then has_children() == false means that
/// there are no living descendants. The exit status of that process, 1 to 4, tells which check failed.
TEST(Descendants, WithoutChildrenThereAreNoDescendants) {
  const pid_t guardian = fork();
  if (guardian == 0) {
    adopt_orphans();
    if (has_children()) _exit(1);
    int ends[2];
    if (pipe(ends) != 0) _exit(2);
    const pid_t parent = fork();
    if (parent == 0) {
      if (fork() == 0) {  // leaves its session and its parent
        setsid();
        char byte = 0;
        (void)!read(ends[0], &byte, 1);
        _exit(0);
      }
      _exit(0);
    }
    waitpid(parent, nullptr, 0);
    if (!has_children() || find_descendants(getpid()).size() != 1) _exit(3);
    (void)!write(ends[1], "x", 1);
    wait(nullptr);
    _exit(has_children() ? 4 : 0);
  }
  int status = 0;
  waitpid(guardian, &status, 0);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace weir::device
