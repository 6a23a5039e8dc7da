#include "core/kernel.hpp"

#include <algorithm>

namespace mpskit {

std::shared_ptr<const void> Kernel::find_part(const void* key) const {
  std::lock_guard lock(parts_mutex_);
  for (const auto& [name, part] : parts_)
    if (name == key) return part.lock();
  return nullptr;
}

void Kernel::keep_part(const void* key, const std::shared_ptr<const void>& part) const {
  std::lock_guard lock(parts_mutex_);
  std::erase_if(parts_, [key](const auto& entry) { return entry.first == key || entry.second.expired(); });
  parts_.emplace_back(key, part);
}

void Kernel::forget_parts() const {
  std::lock_guard lock(parts_mutex_);
  parts_.clear();
}

}  // namespace mpskit
