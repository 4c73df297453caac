#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace weir {

/// The number of this process.
int process_id();

/// The name of the machine; "?" if the system does not say.
std::string host_name();

/// The file of the program that runs, with its folder; empty if the system does not say.
std::filesystem::path program_file();

/// Its name in lists of processes; the system keeps 15 bytes.
void set_process_name(const std::string& name);

/// All its variables, as NAME=VALUE.
std::vector<std::string_view> environment_entries();

/// Becomes another program, with our descriptors and our number. Comes back only if that fails, with the value of errno.
int replace_process(const std::filesystem::path& program, std::vector<std::string> arguments);

}  // namespace weir
