#pragma once

#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include "places.hpp"

namespace weir::film {

/// Returns the path of a film that tests/film/draw_cases drew; empty if they were not drawn.
inline std::filesystem::path film_case(const std::string& name) {
  const std::filesystem::path path = std::filesystem::path{places::film_cases()} / name;
  return std::filesystem::exists(path) ? path : std::filesystem::path{};
}

/// Runs the program ffmpeg with these arguments, words of the shell. Returns whether it succeeded.
inline bool run_ffmpeg(const std::string& arguments) {
  const std::string command = "ffmpeg -hide_banner -loglevel error -nostdin -y " + arguments;
  // NOLINTNEXTLINE(cert-env33-c): the command contains only text of tests
  return std::system(command.c_str()) == 0;
}

/// Returns what a command prints on its standard output.
inline std::string output_of(const std::string& command) {
  FILE* pipe = popen(command.c_str(), "r");
  std::string text;
  std::array<char, 4096> part{};
  while (pipe != nullptr) {
    const std::size_t size = std::fread(part.data(), 1, part.size(), pipe);
    if (size == 0) break;
    text.append(part.data(), size);
  }
  if (pipe != nullptr) pclose(pipe);
  return text;
}

/// Returns whether a program can be called.
inline bool has_program(const std::string& name) { return !output_of("command -v " + name + " 2>/dev/null").empty(); }

/// Returns the lines of a text that are not empty.
inline std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream{text};
  for (std::string line; std::getline(stream, line);)
    if (!line.empty()) lines.push_back(line);
  return lines;
}

/// A test that needs the drawn films; it skips without them.
class WithFilmCases : public testing::Test {
 protected:
  void SetUp() override {
    if (film_case("complete").empty()) GTEST_SKIP() << "no film cases: ffmpeg or ../shared/cases/film is missing";
  }
};

}  // namespace weir::film
