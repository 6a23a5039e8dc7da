#include "memory.hpp"

#include <Block.h>

#include <cstdlib>
#include <cstring>
#include <new>

#include "settings.hpp"

namespace standin {
namespace {
std::atomic<std::size_t> total{0};

std::byte* fresh(std::size_t size) {
  auto* bytes = static_cast<std::byte*>(std::aligned_alloc(256, (size + 255) / 256 * 256));
  if (bytes) std::memset(bytes, fresh_byte, size);
  return bytes;
}
}  // namespace

std::shared_ptr<Memory> Memory::allocate(std::size_t size, MTLStorageMode mode) {
  if (allocation_fails() || size == 0 || size > settings().max_buffer_length) return nullptr;
  std::shared_ptr<Memory> memory(new Memory);
  total += memory->size_ = size;
  memory->gpu_ = fresh(size);
  if (mode == MTLStorageModePrivate) {
    memory->cpu_ = nullptr;
  } else if (mode == MTLStorageModeManaged && !settings().is_unified) {
    memory->cpu_ = fresh(size);
  } else {
    memory->cpu_ = memory->gpu_;
  }
  if (!memory->gpu_ || (mode != MTLStorageModePrivate && !memory->cpu_)) return nullptr;
  return memory;
}

std::shared_ptr<Memory> Memory::adopt(void* data, std::size_t size, MTLStorageMode mode, Free deallocator) {
  if (allocation_fails() || size > settings().max_buffer_length) return nullptr;
  std::shared_ptr<Memory> memory(new Memory);
  total += memory->size_ = size;
  memory->cpu_ = static_cast<std::byte*>(data);
  memory->is_adopted_ = true;
  memory->gpu_ = memory->cpu_;
  if (mode == MTLStorageModeManaged && !settings().is_unified) {
    memory->gpu_ = fresh(size);
    if (!memory->gpu_) return nullptr;
    std::memcpy(memory->gpu_, data, size);
  }
  if (deallocator) memory->deallocator_ = Block_copy(deallocator);
  return memory;
}

Memory::~Memory() {
  if (gpu_ != cpu_) std::free(gpu_);
  if (cpu_ && !is_adopted_) std::free(cpu_);
  if (deallocator_) {
    deallocator_(cpu_, size_);
    Block_release(deallocator_);
  }
  total -= size_;
}

std::size_t Memory::allocated() { return total; }

void Memory::modified(std::size_t begin, std::size_t end) {
  if (!has_copies()) return;
  std::lock_guard lock(mutex_);
  modified_.emplace_back(begin, end);
}

std::function<void()> Memory::upload(const std::shared_ptr<Memory>& self) {
  std::vector<std::pair<std::size_t, std::size_t>> ranges;
  {
    std::lock_guard lock(mutex_);
    ranges.swap(modified_);
  }
  if (ranges.empty()) return {};
  std::vector<std::pair<std::size_t, std::vector<std::byte>>> pieces;
  for (auto [begin, end] : ranges) pieces.emplace_back(begin, std::vector<std::byte>(cpu_ + begin, cpu_ + end));
  return [self, pieces = std::move(pieces)] {
    for (const auto& [begin, bytes] : pieces) std::memcpy(self->gpu_ + begin, bytes.data(), bytes.size());
  };
}

void Memory::download() {
  if (has_copies()) std::memcpy(cpu_, gpu_, size_);
}

void Memory::poison() { std::memset(gpu_, fresh_byte, size_); }

}  // namespace standin
