#include "compute/kernels/peak_bench.hpp"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <ctime>
#include <string>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

namespace weir::compute {
namespace {

// The loops have twelve sums, each a chain of additions: more than the instructions that common processors execute at
// the same time (latency in cycles times instructions per cycle). The sums are named variables, because a compiler may
// put an array into memory, and the loop would then measure memory. The empty asm statements keep the compiler from
// removing steps and from moving sums to memory.
constexpr int kChains = 12;
#define WEIR_FOR_EACH_CHAIN(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7) DO(8) DO(9) DO(10) DO(11)
#define WEIR_DECLARE(i) auto sum##i = start;
#define WEIR_STEP(i)     \
  sum##i = step(sum##i); \
  asm volatile("" : WEIR_REGISTER(sum##i));
#define WEIR_CHAINS(rounds)                        \
  WEIR_FOR_EACH_CHAIN(WEIR_DECLARE)                \
  for (int round = 0; round < (rounds); ++round) { \
    WEIR_FOR_EACH_CHAIN(WEIR_STEP)                 \
  }

#if defined(__x86_64__)
#define WEIR_REGISTER(sum) "+v"(sum)

__attribute__((target("avx512f"))) void float32_avx512(int rounds) {
  const __m512 start = _mm512_set1_ps(1), a = _mm512_set1_ps(0.999F), b = _mm512_set1_ps(0.001F);
#define step(sum) _mm512_fmadd_ps(sum, a, b)
  WEIR_CHAINS(rounds)
#undef step
}
__attribute__((target("avx512f,avx512vnni"))) void int16_avx512(int rounds) {
  const __m512i start = _mm512_setzero_si512(), a = _mm512_set1_epi16(3), b = _mm512_set1_epi16(5);
#define step(sum) _mm512_dpwssd_epi32(sum, a, b)
  WEIR_CHAINS(rounds)
#undef step
}
__attribute__((target("avx2,fma"))) void float32_avx2(int rounds) {
  const __m256 start = _mm256_set1_ps(1), a = _mm256_set1_ps(0.999F), b = _mm256_set1_ps(0.001F);
#define step(sum) _mm256_fmadd_ps(sum, a, b)
  WEIR_CHAINS(rounds)
#undef step
}
__attribute__((target("avx2"))) void int16_avx2(int rounds) {
  const __m256i start = _mm256_setzero_si256(), b = _mm256_set1_epi16(5);
  __m256i a = _mm256_set1_epi16(3);
  // The compiler must assume that `a` changes at every step, so that it computes the product again.
#define step(sum)                                   \
  (__extension__({                                  \
    asm volatile("" : "+v"(a));                     \
    _mm256_add_epi32(sum, _mm256_madd_epi16(a, b)); \
  }))
  WEIR_CHAINS(rounds)
#undef step
}
#elif defined(__aarch64__)
#define WEIR_REGISTER(sum) "+w"(sum)

void float32_neon(int rounds) {
  const float32x4_t start = vdupq_n_f32(1), a = vdupq_n_f32(0.999F), b = vdupq_n_f32(0.001F);
#define step(sum) vfmaq_f32(sum, a, b)
  WEIR_CHAINS(rounds)
#undef step
}
void int16_neon(int rounds) {
  const int32x4_t start = vdupq_n_s32(0);
  const int16x4_t a = vdup_n_s16(3), b = vdup_n_s16(5);
#define step(sum) vmlal_lane_s16(sum, a, b, 1)
  WEIR_CHAINS(rounds)
#undef step
}
#endif

std::vector<PeakKernel> make_peak_kernels() {
  std::vector<PeakKernel> kernels;
#if defined(__x86_64__)
  kernels.push_back({"avx512_vnni", Arithmetic::int16, kChains * 32, int16_avx512});
  kernels.push_back({"avx512_vnni", Arithmetic::float32, kChains * 16, float32_avx512});
  kernels.push_back({"avx2", Arithmetic::int16, kChains * 16, int16_avx2});
  kernels.push_back({"avx2", Arithmetic::float32, kChains * 8, float32_avx2});
#elif defined(__aarch64__)
  kernels.push_back({"neon", Arithmetic::int16, kChains * 4, int16_neon});
  kernels.push_back({"neon", Arithmetic::float32, kChains * 4, float32_neon});
#endif
  std::erase_if(kernels, [](const PeakKernel& peak) { return find_kernels(peak.instruction_set) == nullptr; });
  return kernels;
}

void BM_peak(benchmark::State& state, const PeakKernel& peak) {
  constexpr int kRounds = 1000;
  for (auto _ : state) peak.run(kRounds);
  state.counters["multiplications"] = benchmark::Counter(
      static_cast<double>(state.iterations()) * kRounds * peak.multiplications, benchmark::Counter::kIsRate);
}

int register_all() {
  for (const PeakKernel& peak : list_peak_kernels()) {
    std::string name{"peak_"};
    name += peak.instruction_set;
    name += peak.arithmetic == Arithmetic::int16 ? "_int16" : "_float32";
    benchmark::RegisterBenchmark(name.c_str(), BM_peak, peak);
  }
  return 0;
}
const int kRegistered = register_all();

}  // namespace

std::span<const PeakKernel> list_peak_kernels() {
  static const std::vector<PeakKernel> kernels = make_peak_kernels();
  return kernels;
}

double thread_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

double measure_peak(std::string_view instruction_set, Arithmetic arithmetic) {
  constexpr int kRounds = 200'000;  // about a millisecond
  double best = 0;
  for (const PeakKernel& peak : list_peak_kernels()) {
    if (peak.instruction_set != instruction_set || peak.arithmetic != arithmetic) continue;
    for (int i = 0; i < 10; ++i) {
      const double start = thread_seconds();
      peak.run(kRounds);
      best = std::max(best, kRounds * peak.multiplications / (thread_seconds() - start));
    }
  }
  return best;
}

}  // namespace weir::compute
