#pragma once

// Black-box tests of the guard: the program on an invented machine.

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "places.hpp"
#include "program.hpp"

namespace weir::test {

inline constexpr const char* kTwoCards =
    "card NVIDIA_GeForce_RTX_3090 GPU-aaaa0000-1111-2222-3333-444455556666 0000:02:00.0 24576 100 300\n"
    "card NVIDIA_GeForce_RTX_5060_Ti GPU-bbbb0000-1111-2222-3333-444455556666 0000:01:00.0 16384 0 200\n";

/// A folder with the false management library's machine and a folder for leases; runs weir there.
class InventedMachine {
 public:
  explicit InventedMachine(const std::string& machine = kTwoCards) {
    folder_.put("machine", machine);
    fs::create_directory(folder_ / "leases");
  }
  const Folder& folder() const { return folder_; }
  void change(const std::string& machine) const { folder_.put("machine", machine); }

  How how(std::vector<std::pair<std::string, std::string>> more = {}) const {
    How how;
    how.folder = folder_.path().native();
    how.variables = {{"LD_LIBRARY_PATH", places::fake_nvml()},
                     {"FAKE_NVML", (folder_ / "machine").native()},
                     {"WEIR_LEASE_DIR", (folder_ / "leases").native()},
                     {"XDG_STATE_HOME", (folder_ / "state").native()},
                     {"PATH", "/usr/bin:/bin"}};
    for (auto& one : more) how.variables.push_back(std::move(one));
    return how;
  }
  Ended weir(const std::vector<std::string>& words, std::vector<std::pair<std::string, std::string>> more = {}) const {
    return run(words, how(std::move(more)));
  }

  /// Runs a line as a shell in the machine's folder would, with this weir on the path. `out` has both streams.
  Ended shell(const std::string& line) const {
    std::string all = "cd '" + folder_.path().native() + "' && env -i";
    for (const auto& [name, value] : how().variables)
      all += " " + name + "='" + (name == "PATH" ? fs::path{places::program()}.parent_path().native() + ":" : "") +
             value + "'";
    all += " sh -c '";
    for (const char c : line) all += c == '\'' ? std::string{"'\\''"} : std::string{c};
    const int status = std::system((all + "' >said 2>&1 </dev/null").c_str());
    std::ifstream said{folder_ / "said"};
    Ended ended;
    ended.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    ended.out.assign(std::istreambuf_iterator<char>{said}, {});
    return ended;
  }

 private:
  Folder folder_;
};

}  // namespace weir::test
