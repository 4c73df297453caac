#pragma once

// Runs the built program with a fake NVML (NVIDIA's library that reports GPUs), so that it finds GPUs that do not
// exist. For tests of device leases and guarded commands.

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

/// A machine with two GPUs, in the format of tests/fake_nvml/fake_nvml.cpp.
inline constexpr const char* kTwoCards =
    "card NVIDIA_GeForce_RTX_3090 GPU-aaaa0000-1111-2222-3333-444455556666 0000:02:00.0 24576 100 300\n"
    "card NVIDIA_GeForce_RTX_5060_Ti GPU-bbbb0000-1111-2222-3333-444455556666 0000:01:00.0 16384 0 200\n";

/// A temporary folder with the file that describes the machine to the fake NVML library, and a folder for leases. Runs
/// weir in this folder, with the fake library.
class FakeMachine {
 public:
  explicit FakeMachine(const std::string& machine = kTwoCards) {
    folder_.put("machine", machine);
    fs::create_directory(folder_ / "leases");
  }
  const Folder& folder() const { return folder_; }
  /// Replaces the description of the machine; running programs read it at their next NVML call.
  void set_machine(const std::string& machine) const { folder_.put("machine", machine); }

  /// Returns the options to run weir with; `extra_variables` are added to the environment.
  ProgramOptions options(std::vector<std::pair<std::string, std::string>> extra_variables = {}) const {
    ProgramOptions made;
    made.folder = folder_.path().native();
    made.variables = {{"LD_LIBRARY_PATH", places::fake_nvml()},
                      {"FAKE_NVML", (folder_ / "machine").native()},
                      {"WEIR_LEASE_DIR", (folder_ / "leases").native()},
                      {"XDG_STATE_HOME", (folder_ / "state").native()},
                      {"PATH", "/usr/bin:/bin"}};
    for (auto& variable : extra_variables) made.variables.push_back(std::move(variable));
    return made;
  }
  ProgramResult run_weir(const std::vector<std::string>& arguments,
                         std::vector<std::pair<std::string, std::string>> extra_variables = {}) const {
    return run(arguments, options(std::move(extra_variables)));
  }

  /// Runs a line with `sh -c` in the folder, with the folder of weir in PATH. `out` of the result contains standard
  /// output and standard error; `error` stays empty.
  ProgramResult run_shell(const std::string& line) const {
    std::string command = "cd '" + folder_.path().native() + "' && env -i";
    for (const auto& [name, value] : options().variables)
      command += " " + name + "='" + (name == "PATH" ? fs::path{places::program()}.parent_path().native() + ":" : "") +
                 value + "'";
    command += " sh -c '";
    for (const char c : line) command += c == '\'' ? std::string{"'\\''"} : std::string{c};
    const int status = std::system((command + "' >said 2>&1 </dev/null").c_str());
    std::ifstream output{folder_ / "said"};
    ProgramResult result;
    result.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    result.out.assign(std::istreambuf_iterator<char>{output}, {});
    return result;
  }

 private:
  Folder folder_;
};

}  // namespace weir::test
