#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace weir {

/// Returns the id of this process.
int process_id();

/// Returns the name of the machine; "?" if the system does not report it.
std::string host_name();

/// Returns the path of the running program's file; empty if the system does not report it.
std::filesystem::path program_file();

/// Sets the name of this process in process lists; call it on the main thread. The system keeps 15 bytes.
void set_process_name(const std::string& name);

/// Returns all environment variables as NAME=VALUE. The texts point into the environment.
std::vector<std::string_view> environment_entries();

/// Replaces the program of this process by the file `program` (exec). The process id and the descriptors without
/// O_CLOEXEC stay. `arguments` starts with argv[0], the program's name. Returns only on failure, with the value of
/// errno.
int replace_process(const std::filesystem::path& program, std::vector<std::string> arguments);

}  // namespace weir
