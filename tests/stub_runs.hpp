#pragma once

// Runs the Python programs of small projects. Instead of GPU libraries they import stubs, modules that
// accept every call and do nothing (tests/audit/run_with_stubs.py).

#include <chrono>
#include <filesystem>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "audit/run_program.hpp"
#include "places.hpp"

namespace weir::audit::test_kit {

/// A file of a project.
struct NamedText {
  std::string name;  ///< relative path
  std::string text;
};

/// Runs all programs in the folders; each folder is a project. Returns for each program the JSON object that
/// run_with_stubs.py prints for it, without the key "folder". The keys of the map are "project/file".
inline std::map<std::string, nlohmann::json> run_with_stubs(const std::vector<std::filesystem::path>& folders) {
  std::vector<std::string> arguments{*find_python(), std::string{places::source()} + "/tests/audit/run_with_stubs.py"};
  for (const std::filesystem::path& folder : folders) arguments.push_back(folder.native());
  const auto result = run_program({.arguments = arguments, .time_limit = std::chrono::seconds{300}});
  EXPECT_TRUE(result && result->exit_status == 0) << (result ? result->output : result.error().what);
  std::map<std::string, nlohmann::json> all;
  std::istringstream lines{result ? result->output : std::string{}};
  for (std::string line; std::getline(lines, line);) {
    nlohmann::json one = nlohmann::json::parse(line, nullptr, false);
    EXPECT_FALSE(one.is_discarded()) << line;
    if (one.is_discarded()) continue;
    const std::string name = std::filesystem::path{one["folder"].get<std::string>()}.filename().native() + '/' +
                             one["file"].get<std::string>();
    one.erase("folder");
    all.emplace(name, std::move(one));
  }
  return all;
}

}  // namespace weir::audit::test_kit
