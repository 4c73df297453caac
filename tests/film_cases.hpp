#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "places.hpp"

namespace weir::film {

/// Returns the path of a film that tests/film/draw_cases drew; empty if they were not drawn.
inline std::filesystem::path film_case(const std::string& name) {
  const std::filesystem::path path = std::filesystem::path{places::film_cases()} / name;
  return std::filesystem::exists(path) ? path : std::filesystem::path{};
}

/// A test that needs the drawn films; it skips without them.
class WithFilmCases : public testing::Test {
 protected:
  void SetUp() override {
    if (film_case("complete").empty()) GTEST_SKIP() << "no film cases: ffmpeg or ../shared/cases/film is missing";
  }
};

}  // namespace weir::film
