// Measures the cost of a lease and of a guarded scope. Run: weir_bench --benchmark_filter='lease|scope'

#include <benchmark/benchmark.h>

#include <cstdlib>
#include <filesystem>

#include "device/device_meters.hpp"
#include "device/lease.hpp"
#include "memory/leak_detector.hpp"

namespace {

using weir::device::acquire_lease;
using weir::device::LeaseFile;

std::filesystem::path scratch_folder() {
  std::string name = (std::filesystem::temp_directory_path() / "weir-bench-XXXXXX").native();
  return mkdtemp(name.data()) == nullptr ? std::filesystem::path{} : std::filesystem::path{name};
}

const weir::Environment kEmptyEnvironment = [](const char*) { return std::nullopt; };

/// Measures locking and unlocking of an open lease file.
void BM_lock_and_unlock(benchmark::State& state) {
  const auto folder = scratch_folder();
  auto file = LeaseFile::open(folder, "bench");
  if (!file) return state.SkipWithError(file.error().what.c_str());
  for (auto _ : state) {
    const auto taken = file->try_acquire(0);
    if (!taken || !*taken || !file->release()) return state.SkipWithError("not taken");
  }
  std::filesystem::remove_all(folder);
}
BENCHMARK(BM_lock_and_unlock);

/// Measures a whole lease: ticket, queue, lock, record, release.
void BM_lease(benchmark::State& state) {
  weir::device::LeaseRequest request;
  request.keys = {"bench"};
  const auto folder = scratch_folder();
  for (auto _ : state) {
    auto lease = acquire_lease(folder, request, kEmptyEnvironment);
    if (!lease) return state.SkipWithError(lease.error().what.c_str());
    lease->release();
  }
  std::filesystem::remove_all(folder);
}
BENCHMARK(BM_lease);

/// Measures a scope of a LeakDetector without growth, with the meters that a process without a GPU has.
void BM_guard_scope(benchmark::State& state) {
  weir::memory::Meters meters{weir::memory::make_malloc_meter(), weir::memory::make_resident_meter()};
  if (auto drm = weir::device::make_fdinfo_meter()) meters.push_back(std::move(drm));
  weir::memory::LeakDetector detector{std::move(meters), {}};
  for (auto _ : state) benchmark::DoNotOptimize(detector.end_scope("bench", detector.begin_scope(), false, {}));
}
BENCHMARK(BM_guard_scope);

}  // namespace
