#include "enhance/precision_verdict_cache.hpp"

#include <filesystem>
#include <fstream>
#include <string>

#include <fmt/format.h>
#include <xxhash.h>

#include "base/atomic_file.hpp"
#include "base/paths.hpp"
#include "nn/fingerprint.hpp"

namespace weir::enhance {

namespace {

namespace fs = std::filesystem;

/// Returns the path of the file for a verdict; an empty path if the environment names no cache folder. The file has one
/// line: good_enough (0 or 1), psnr_db, max_difference.
fs::path cache_file(std::uint64_t key) {
  const fs::path cache = user_cache_folder(process_environment());
  return cache.empty() ? cache : cache / "precision" / fmt::format("{:016x}", key);
}

}  // namespace

std::uint64_t verdict_key(const nn::Graph& graph, const compute::Kernels& kernels, int version) {
  const std::string text = fmt::format("{:016x} {} {}", nn::fingerprint(graph), kernels.name, version);
  return XXH3_64bits(text.data(), text.size());
}

std::optional<PrecisionVerdict> load_verdict(std::uint64_t key) {
  const fs::path file = cache_file(key);
  if (file.empty()) return std::nullopt;
  std::ifstream in{file};
  PrecisionVerdict verdict;
  int good_enough = 0;
  if (!(in >> good_enough >> verdict.psnr_db >> verdict.max_difference)) return std::nullopt;
  verdict.good_enough = good_enough == 1;
  return verdict;
}

void save_verdict(std::uint64_t key, const PrecisionVerdict& verdict) {
  const fs::path file = cache_file(key);
  if (file.empty()) return;
  std::error_code problem;
  fs::create_directories(file.parent_path(), problem);
  (void)static_cast<bool>(write_file(
      file, fmt::format("{} {:.2f} {}\n", verdict.good_enough ? 1 : 0, verdict.psnr_db, verdict.max_difference)));
}

}  // namespace weir::enhance
