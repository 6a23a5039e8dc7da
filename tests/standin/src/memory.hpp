// The bytes of a buffer or texture, as the CPU and as the GPU see them.
#pragma once
#import <Metal/Metal.h>

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace standin {

inline constexpr unsigned char fresh_byte = 0xff;  // NaN in every float format, the largest number in the others

class Memory {
 public:
  using Free = void (^)(void*, NSUInteger);
  // Null when there is no room. Managed memory of a discrete device has two copies.
  static std::shared_ptr<Memory> allocate(std::size_t size, MTLStorageMode mode);
  static std::shared_ptr<Memory> adopt(void* data, std::size_t size, MTLStorageMode mode, Free deallocator);
  ~Memory();
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  std::byte* gpu() const { return gpu_; }
  std::byte* cpu() const { return cpu_; }  // null for private memory
  std::size_t size() const { return size_; }
  bool has_copies() const { return cpu_ && cpu_ != gpu_; }

  void modified(std::size_t begin, std::size_t end);  // by the CPU, in managed memory
  // What the CPU modified since the last commit, as work that brings the bytes of this moment to the GPU.
  std::function<void()> upload(const std::shared_ptr<Memory>& self);
  void download();  // the GPU's bytes to the CPU's copy
  void poison();    // contents are gone

  static std::size_t allocated();  // bytes in all

  // Committed command buffers that have not completed.
  std::atomic<int> readers{0}, writers{0};

 private:
  Memory() = default;
  std::byte* gpu_ = nullptr;
  std::byte* cpu_ = nullptr;
  std::size_t size_ = 0;
  Free deallocator_ = nil;
  bool is_adopted_ = false;
  std::mutex mutex_;
  std::vector<std::pair<std::size_t, std::size_t>> modified_;
};

}  // namespace standin
