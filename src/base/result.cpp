#include "base/result.hpp"

#include <array>
#include <cstddef>

namespace weir {
namespace {

constexpr std::array<std::string_view, 12> kNames{
    "invalid_argument", "over_budget", "unsupported", "device_lost", "io",         "disk_full",
    "corrupt",          "cancelled",   "timed_out",   "exists",      "bad_values", "failed"};

}  // namespace

std::string_view name_of(Errc code) { return kNames.at(static_cast<std::size_t>(code)); }

std::optional<Errc> errc_named(std::string_view name) {
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (kNames.at(i) == name) return static_cast<Errc>(i);
  }
  return std::nullopt;
}

}  // namespace weir
