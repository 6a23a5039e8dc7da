#pragma once
#include <string_view>

namespace mpskit::metal {

// The text of csrc/metal/shaders, headers first: one library. Made by mpskit_shader_source() in csrc/cmake.
extern const std::string_view shader_source;

}  // namespace mpskit::metal
