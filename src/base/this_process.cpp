#include "base/this_process.hpp"

#include <sys/prctl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

namespace weir {

int process_id() { return ::getpid(); }

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "?";
}

std::filesystem::path program_file() {
  std::error_code problem;
  return std::filesystem::read_symlink("/proc/self/exe", problem);
}

void set_process_name(const std::string& name) { (void)::prctl(PR_SET_NAME, name.c_str()); }

std::vector<std::string_view> environment_entries() {
  std::vector<std::string_view> entries;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) entries.emplace_back(*entry);
  return entries;
}

int replace_process(const std::filesystem::path& program, std::vector<std::string> arguments) {
  std::vector<char*> pointers;
  pointers.reserve(arguments.size() + 1);
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  ::execv(program.c_str(), pointers.data());
  return errno;
}

}  // namespace weir
