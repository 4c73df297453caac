// The machine's arithmetic peak on one core: what kernels are compared with. Multiplications per second of independent
// chains in registers; no memory is touched.
#include <benchmark/benchmark.h>

#include <cstdint>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace {

constexpr int kChains = 12;    // more than latency times issue width on any processor so far
constexpr int kRounds = 1000;  // of all chains, per iteration

[[maybe_unused]] void count_multiplications(benchmark::State& state, int lanes) {
  state.counters["multiplications"] = benchmark::Counter(
      static_cast<double>(state.iterations()) * kRounds * kChains * lanes, benchmark::Counter::kIsRate);
}

#if defined(__x86_64__)
// Twelve chains in twelve named registers: an array may be put into memory by the compiler, and then memory is measured.
#define WEIR_FOR_EACH_CHAIN(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7) DO(8) DO(9) DO(10) DO(11)
#define WEIR_DECLARE(i) Vector sum##i = start;
#define WEIR_STEP(i)           \
  sum##i = STEP(sum##i, a, b); \
  asm volatile("" : "+v"(sum##i));
#define WEIR_RUN(state)                             \
  WEIR_FOR_EACH_CHAIN(WEIR_DECLARE)                 \
  for (auto _ : state) {                            \
    for (int round = 0; round < kRounds; ++round) { \
      WEIR_FOR_EACH_CHAIN(WEIR_STEP)                \
    }                                               \
  }

__attribute__((target("avx512f"))) void fp32_avx512(benchmark::State& state) {
  using Vector = __m512;
  const Vector start = _mm512_set1_ps(1), a = _mm512_set1_ps(0.999F), b = _mm512_set1_ps(0.001F);
#define STEP(s, a, b) _mm512_fmadd_ps(s, a, b)
  WEIR_RUN(state)
#undef STEP
}

__attribute__((target("avx512f,avx512vnni"))) void int16_vnni(benchmark::State& state) {
  using Vector = __m512i;
  const Vector start = _mm512_setzero_si512(), a = _mm512_set1_epi16(3), b = _mm512_set1_epi16(5);
#define STEP(s, a, b) _mm512_dpwssd_epi32(s, a, b)
  WEIR_RUN(state)
#undef STEP
}

__attribute__((target("avx2,fma"))) void fp32_avx2(benchmark::State& state) {
  using Vector = __m256;
  const Vector start = _mm256_set1_ps(1), a = _mm256_set1_ps(0.999F), b = _mm256_set1_ps(0.001F);
#define STEP(s, a, b) _mm256_fmadd_ps(s, a, b)
  WEIR_RUN(state)
#undef STEP
}

void BM_peak_fp32_avx512(benchmark::State& state) {
  if (!__builtin_cpu_supports("avx512f")) return state.SkipWithError("no AVX-512 here");
  fp32_avx512(state);
  count_multiplications(state, 16);
}
void BM_peak_int16_avx512_vnni(benchmark::State& state) {
  if (!__builtin_cpu_supports("avx512vnni")) return state.SkipWithError("no AVX-512 VNNI here");
  int16_vnni(state);
  count_multiplications(state, 32);
}
void BM_peak_fp32_avx2(benchmark::State& state) {
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return state.SkipWithError("no AVX2 here");
  fp32_avx2(state);
  count_multiplications(state, 8);
}
BENCHMARK(BM_peak_fp32_avx512);
BENCHMARK(BM_peak_int16_avx512_vnni);
BENCHMARK(BM_peak_fp32_avx2);
#endif

}  // namespace
