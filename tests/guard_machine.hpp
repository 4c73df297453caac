#pragma once

// Black-box tests of the guard: the program on an invented machine.

#include <map>
#include <string>
#include <utility>
#include <vector>

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
    how.variables = {{"LD_LIBRARY_PATH", WEIR_FAKE_NVML_FOLDER},
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

 private:
  Folder folder_;
};

}  // namespace weir::test
