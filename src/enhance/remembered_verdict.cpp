#include "enhance/remembered_verdict.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <fmt/format.h>
#include <unistd.h>
#include <xxhash.h>

#include "nn/fingerprint.hpp"

namespace weir::enhance {

namespace {

namespace fs = std::filesystem;

/// Empty where there is no folder for it.
fs::path cache_file(std::uint64_t key) {
  const char* cache = std::getenv("XDG_CACHE_HOME");
  const char* home = std::getenv("HOME");
  fs::path folder;
  if (cache != nullptr && *cache == '/')
    folder = cache;
  else if (home != nullptr && *home == '/')
    folder = fs::path{home} / ".cache";
  else
    return {};
  return folder / "weir" / "precision" / fmt::format("{:016x}", key);
}

}  // namespace

std::uint64_t verdict_key(const nn::Graph& graph, const compute::Kernels& kernels, int version) {
  const std::string text = fmt::format("{:016x} {} {}", nn::fingerprint(graph), kernels.name, version);
  return XXH3_64bits(text.data(), text.size());
}

std::optional<PrecisionVerdict> recall_verdict(std::uint64_t key) {
  const fs::path file = cache_file(key);
  if (file.empty()) return std::nullopt;
  std::ifstream in{file};
  PrecisionVerdict verdict;
  int good = 0;
  if (!(in >> good >> verdict.psnr >> verdict.most_off)) return std::nullopt;
  verdict.good_enough = good == 1;
  return verdict;
}

void remember_verdict(std::uint64_t key, const PrecisionVerdict& verdict) {
  const fs::path file = cache_file(key);
  if (file.empty()) return;
  std::error_code problem;
  fs::create_directories(file.parent_path(), problem);
  fs::path beside = file;
  beside += fmt::format(".{}.{}", getpid(), reinterpret_cast<std::uintptr_t>(&verdict));
  {
    std::ofstream out{beside};
    out << (verdict.good_enough ? 1 : 0) << ' ' << fmt::format("{:.2f}", verdict.psnr) << ' ' << verdict.most_off
        << '\n';
    out.close();
    if (!out) {
      fs::remove(beside, problem);
      return;
    }
  }
  fs::rename(beside, file, problem);
  if (problem) fs::remove(beside, problem);
}

}  // namespace weir::enhance
