#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/dtype.hpp"
#include "core/storage.hpp"

namespace mpskit {

// Numbers that a parameter brings along: weights, biases, slopes. A value: copies share the bytes, equality looks at them.
// Elements are contiguous. A maker who changes them later changes what is read the next time.
struct Array {
  DType dtype = DType::f32;
  std::vector<std::int64_t> shape;
  std::shared_ptr<Storage> storage;  // null: no array
  std::int64_t offset = 0;           // of the first element, bytes into storage

  bool is_null() const { return !storage; }
  std::int64_t elements() const;
  std::size_t bytes() const { return static_cast<std::size_t>(elements()) * size_of(dtype); }
  const std::byte* data() const { return storage->data() + offset; }
  std::span<const float> floats() const;  // of a float32 array; empty for none
  std::string describe() const;           // "(64, 3, 3, 32) float32"
  bool operator==(const Array& other) const;

  static Array of(std::span<const float> values);  // a copy
};

}  // namespace mpskit
