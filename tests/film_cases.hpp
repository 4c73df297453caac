#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

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

/// A test that needs the drawn films; it skips without them.
class WithFilmCases : public testing::Test {
 protected:
  void SetUp() override {
    if (film_case("complete").empty()) GTEST_SKIP() << "no film cases: ffmpeg or ../shared/cases/film is missing";
  }
};

}  // namespace weir::film
