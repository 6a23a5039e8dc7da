#include "core/storage.hpp"

#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <new>

#include "core/error.hpp"
#include "core/text.hpp"

#if defined(__SANITIZE_ADDRESS__)
#define MPSKIT_ASAN
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define MPSKIT_ASAN
#endif
#endif
#ifdef MPSKIT_ASAN
#include <sanitizer/asan_interface.h>
#endif

namespace mpskit {
namespace pool {
namespace {

constexpr std::size_t huge_page = std::size_t{2} << 20;
constexpr std::size_t keep_at_most = std::size_t{512} << 20;

// Blocks come in size classes of four steps per power of two, at most a quarter larger than asked for.
std::size_t class_bytes(std::size_t bytes) {
  const std::size_t page = page_bytes();
  bytes = std::max(bytes, std::size_t{1});
  bytes = (bytes + page - 1) / page * page;
  if (bytes <= 4 * page) return bytes;
  const std::size_t step = std::bit_floor(bytes) / 4;
  return (bytes + step - 1) / step * step;
}

// Python makes a MemoryError of it.
class OutOfMemory : public std::bad_alloc {
 public:
  explicit OutOfMemory(std::size_t bytes)
      : text_(cat("mpskit: the system has no ", bytes, " bytes of memory left for one array. Make it smaller, or free others.")) {}
  const char* what() const noexcept override { return text_.c_str(); }

 private:
  std::string text_;
};

void* map(std::size_t bytes) {
  const bool large = bytes >= huge_page;
  // A large block starts on a huge page, which the kernel can then back with one table entry.
  const std::size_t mapped = large ? bytes + huge_page : bytes;
  void* raw = mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (raw == MAP_FAILED) throw OutOfMemory(bytes);
  if (!large) return raw;
  const auto start = reinterpret_cast<std::uintptr_t>(raw);
  const std::uintptr_t aligned = (start + huge_page - 1) / huge_page * huge_page;
  if (aligned > start) munmap(raw, aligned - start);
  const std::uintptr_t end = start + mapped;
  if (end > aligned + bytes) munmap(reinterpret_cast<void*>(aligned + bytes), end - (aligned + bytes));
  auto* data = reinterpret_cast<void*>(aligned);
#ifdef MADV_HUGEPAGE
  madvise(data, bytes, MADV_HUGEPAGE);  // advice only: failure costs speed, not correctness
#endif
  return data;
}

struct Pool {
  std::mutex mutex;
  struct Block {
    std::size_t bytes;
    void* data;
  };
  std::vector<Block> cached;  // most recently freed last: its pages are the warmest
  std::size_t live = 0, kept = 0;

  void* take(std::size_t bytes) {
    {
      std::lock_guard lock(mutex);
      live += bytes;
      for (std::size_t i = cached.size(); i-- > 0;) {
        if (cached[i].bytes != bytes) continue;
        void* data = cached[i].data;
        cached.erase(cached.begin() + static_cast<std::ptrdiff_t>(i));
        kept -= bytes;
        return data;
      }
    }
    return map(bytes);
  }
  void give(void* data, std::size_t bytes) {
    std::vector<Block> drop;
    {
      std::lock_guard lock(mutex);
      live -= bytes;
      cached.push_back({bytes, data});
      kept += bytes;
      std::size_t first = 0;
      while (kept > keep_at_most && first < cached.size()) {
        kept -= cached[first].bytes;
        drop.push_back(cached[first++]);
      }
      cached.erase(cached.begin(), cached.begin() + static_cast<std::ptrdiff_t>(first));
    }
    for (const Block& b : drop) munmap(b.data, b.bytes);
  }
};
// Never destroyed: storage may outlive static destructors (a NumPy array at interpreter exit).
Pool& the_pool() {
  static Pool* pool = [] {
    auto* p = new Pool;
    // A fork takes the lock along: its holder may be a thread that the child has not.
    pthread_atfork([] { the_pool().mutex.lock(); }, [] { the_pool().mutex.unlock(); }, [] { the_pool().mutex.unlock(); });
    return p;
  }();
  return *pool;
}

// Under AddressSanitizer nobody may touch what a block has beyond the bytes that were asked for.
void guard([[maybe_unused]] void* data, [[maybe_unused]] std::size_t bytes, [[maybe_unused]] std::size_t rounded) {
#ifdef MPSKIT_ASAN
  ASAN_UNPOISON_MEMORY_REGION(data, rounded);
  ASAN_POISON_MEMORY_REGION(static_cast<std::byte*>(data) + bytes, rounded - bytes);
#endif
}

}  // namespace

std::size_t page_bytes() {
  static const auto bytes = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  return bytes;
}

std::shared_ptr<void> take(std::size_t bytes) {
  const std::size_t rounded = class_bytes(bytes);
  void* data = the_pool().take(rounded);
  guard(data, bytes, rounded);
  return std::shared_ptr<void>(data, [rounded](void* p) {
    guard(p, rounded, rounded);  // pages may go back to the system
    the_pool().give(p, rounded);
  });
}

Statistics statistics() {
  Pool& p = the_pool();
  std::lock_guard lock(p.mutex);
  return {p.live, p.kept};
}

void trim() {
  std::vector<Pool::Block> drop;
  {
    Pool& p = the_pool();
    std::lock_guard lock(p.mutex);
    drop.swap(p.cached);
    p.kept = 0;
  }
  for (const Pool::Block& b : drop) munmap(b.data, b.bytes);
}

}  // namespace pool

std::shared_ptr<Storage> Storage::allocate(std::size_t bytes, bool zeroed) {
  const std::size_t page = pool::page_bytes();
  const std::size_t rounded = std::max(page, (bytes + page - 1) / page * page);
  std::shared_ptr<void> block = pool::take(rounded);
  void* data = block.get();
  if (zeroed) std::memset(data, 0, bytes);
  return std::shared_ptr<Storage>(new Storage(data, rounded, true, std::move(block)));
}

std::shared_ptr<Storage> Storage::adopt(void* data, std::size_t bytes, bool writable, std::shared_ptr<void> keeper) {
  return std::shared_ptr<Storage>(new Storage(data, bytes, writable, std::move(keeper)));
}

std::shared_ptr<void> Storage::view(const void* engine, const std::function<std::shared_ptr<void>()>& make) {
  std::lock_guard lock(mutex_);
  for (const auto& [owner, view] : views_)
    if (owner == engine) return view;
  return views_.emplace_back(engine, make()).second;
}

}  // namespace mpskit
