// What this machine can do at most: bandwidth between memory and cores, fused multiply-adds, AMX tiles. Built and run by
// limits.py with -march=native; prints one JSON object.
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

#if defined(__AMX_BF16__)
#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace {

using Clock = std::chrono::steady_clock;
double seconds_since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

// The same work on n threads that start together; the best of several times.
template <class F>
double best_seconds(int threads, int times, F&& body) {
  double best = 1e30;
  for (int t = 0; t < times; ++t) {
    std::atomic<int> ready{0};
    std::atomic<bool> go{false};
    std::vector<std::thread> workers;
    for (int i = 0; i < threads; ++i)
      workers.emplace_back([&, i] {
        ++ready;
        while (!go.load()) {}
        body(i);
      });
    while (ready.load() != threads) {}
    const auto begin = Clock::now();
    go = true;
    for (auto& w : workers) w.join();
    const double s = seconds_since(begin);
    if (s < best) best = s;
  }
  return best;
}

#if defined(__AVX512F__)
constexpr int vector_bytes = 64;
#elif defined(__AVX__)
constexpr int vector_bytes = 32;
#else
constexpr int vector_bytes = 16;
#endif
typedef float Vector __attribute__((vector_size(vector_bytes)));
constexpr int lanes = vector_bytes / 4;

double fma_gflops(int threads) {
  constexpr long steps = 4'000'000;
  static volatile float sink;
  const double s = best_seconds(threads, 5, [](int) {
    Vector a[12], x, y;
    for (int k = 0; k < lanes; ++k) x[k] = 1.0f - 1e-7f * static_cast<float>(k), y[k] = 1e-7f;
    for (auto& v : a) v = x;
    for (long i = 0; i < steps; ++i) {
      for (auto& v : a) v = v * x + y;
      asm volatile("" : "+x"(x), "+x"(y));
    }
    float total = 0;
    for (auto& v : a) total += v[0];
    sink = total;
  });
  return 2.0 * lanes * 12 * steps * threads / s / 1e9;
}

double copy_gbs(int threads, std::size_t bytes) {  // read + written
  std::vector<char*> from, to;
  const std::size_t each = bytes / 2 / static_cast<std::size_t>(threads) / 4096 * 4096;
  for (int i = 0; i < threads; ++i) {
    from.push_back(static_cast<char*>(std::aligned_alloc(4096, each)));
    to.push_back(static_cast<char*>(std::aligned_alloc(4096, each)));
    std::memset(from.back(), i + 1, each);
    std::memset(to.back(), 0, each);
  }
  const int repeats = static_cast<int>(std::size_t{512} * 1024 * 1024 / bytes) + 1;
  const double s = best_seconds(threads, 7, [&](int i) {
    for (int r = 0; r < repeats; ++r) {
      for (std::size_t k = 0; k < each; k += sizeof(Vector)) *reinterpret_cast<Vector*>(to[static_cast<std::size_t>(i)] + k) = *reinterpret_cast<Vector*>(from[static_cast<std::size_t>(i)] + k);
      asm volatile("" ::: "memory");
    }
  });
  for (char* p : from) std::free(p);
  for (char* p : to) std::free(p);
  return 2.0 * static_cast<double>(each) * threads * repeats / s / 1e9;
}

double amx_bf16_gflops([[maybe_unused]] int threads) {
#if defined(__AMX_BF16__)
  if (syscall(SYS_arch_prctl, 0x1023, 18) != 0) return 0;  // ask for tile data
  constexpr long steps = 500'000;
  const double s = best_seconds(threads, 5, [](int) {
    alignas(64) unsigned char config[64] = {1};
    for (int t = 0; t < 8; ++t) config[16 + 2 * t] = 64, config[48 + t] = 16;
    asm volatile("" : : "r"(config) : "memory");  // GCC 12's intrinsic tells of the first 8 bytes alone
    _tile_loadconfig(config);
    _tile_zero(0); _tile_zero(1); _tile_zero(2); _tile_zero(3); _tile_zero(4); _tile_zero(5); _tile_zero(6); _tile_zero(7);
    for (long i = 0; i < steps; ++i) {
      _tile_dpbf16ps(0, 4, 6); _tile_dpbf16ps(1, 4, 7); _tile_dpbf16ps(2, 5, 6); _tile_dpbf16ps(3, 5, 7);
    }
    _tile_release();
  });
  return 2.0 * 16 * 16 * 32 * 4 * steps * threads / s / 1e9;
#else
  return 0;
#endif
}

}  // namespace

int main(int argc, char** argv) {
  const int threads = argc > 1 ? std::atoi(argv[1]) : 1;
  std::printf("{\"fma_f32_gflops\": %.1f, \"amx_bf16_gflops\": %.1f, \"copy_gbs\": {", fma_gflops(threads), amx_bf16_gflops(threads));
  const std::size_t mib[] = {1, 4, 16, 64, 256};
  for (std::size_t i = 0; i < 5; ++i) std::printf("%s\"%zu\": %.1f", i ? ", " : "", mib[i], copy_gbs(threads, mib[i] << 20));
  std::printf("}}\n");
}
