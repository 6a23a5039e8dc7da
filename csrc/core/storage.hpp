#pragma once
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace mpskit {

// Reference-counted bytes that NumPy, the CPU engine and a GPU see alike. Whoever holds the last reference frees them: an
// engine that works in the background holds one too.
class Storage {
 public:
  // Page-aligned and a whole number of pages, so that any engine can use it without a copy. Pooled: pages come back warm,
  // and a warm page costs a tenth of a fresh one. `zeroed` clears it.
  static std::shared_ptr<Storage> allocate(std::size_t bytes, bool zeroed);
  // Foreign memory; `keeper` frees it (or drops a Python reference) when the last holder goes.
  static std::shared_ptr<Storage> adopt(void* data, std::size_t bytes, bool writable, std::shared_ptr<void> keeper);

  std::byte* data() const { return data_; }
  std::size_t size() const { return size_; }
  bool is_writable() const { return writable_; }
  // What keeps the bytes alive. A device's view holds this, never the Storage, so there is no cycle.
  const std::shared_ptr<void>& keeper() const { return keeper_; }

  // An engine's own view of these bytes (an MTLBuffer), made once per engine and dropped with the storage.
  std::shared_ptr<void> view(const void* engine, const std::function<std::shared_ptr<void>()>& make);

 private:
  Storage(void* data, std::size_t bytes, bool writable, std::shared_ptr<void> keeper)
      : data_(static_cast<std::byte*>(data)), size_(bytes), writable_(writable), keeper_(std::move(keeper)) {}

  std::byte* data_;
  std::size_t size_;
  bool writable_;
  std::shared_ptr<void> keeper_;
  std::mutex mutex_;
  std::vector<std::pair<const void*, std::shared_ptr<void>>> views_;
};

// The pool behind Storage::allocate and behind scratch memory of kernels.
namespace pool {
struct Statistics {
  std::size_t live_bytes;    // handed out
  std::size_t cached_bytes;  // kept for reuse
};
std::shared_ptr<void> take(std::size_t bytes);  // page-aligned, rounded up to pages; contents undefined
Statistics statistics();
void trim();  // gives cached pages back to the system
std::size_t page_bytes();
}  // namespace pool

}  // namespace mpskit
