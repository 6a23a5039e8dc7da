#pragma once
#include <array>
#include <cstdint>
#include <string_view>

#include "core/kernel.hpp"

namespace mpskit {

// MPSKernelOptions, as far as they change what is computed. The others are about checks that are made here, and about captures.
enum class KernelOptions : std::uint8_t { none, allow_reduced_precision };

}  // namespace mpskit

template <>
inline constexpr auto mpskit::enum_names<mpskit::KernelOptions> = std::array<std::string_view, 2>{"none", "allow_reduced_precision"};
