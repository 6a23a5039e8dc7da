#include "kernels/common/array.hpp"

#include <cstring>

#include "core/text.hpp"

namespace mpskit {

std::int64_t Array::elements() const {
  if (!storage) return 0;
  std::int64_t n = 1;
  for (const std::int64_t extent : shape) n *= extent;
  return n;
}

std::span<const float> Array::floats() const {
  if (!storage) return {};
  return {reinterpret_cast<const float*>(data()), static_cast<std::size_t>(elements())};
}

std::string Array::describe() const { return cat(to_text(shape), " ", name_of(dtype)); }

bool Array::operator==(const Array& other) const {
  if (is_null() || other.is_null()) return is_null() == other.is_null();
  if (dtype != other.dtype || shape != other.shape) return false;
  return data() == other.data() || bytes() == 0 || std::memcmp(data(), other.data(), bytes()) == 0;
}

Array Array::of(std::span<const float> values) {
  Array a{DType::f32, {static_cast<std::int64_t>(values.size())}, Storage::allocate(values.size_bytes(), false), 0};
  std::memcpy(a.storage->data(), values.data(), values.size_bytes());
  return a;
}

}  // namespace mpskit
