#include <map>
#include <string>

#include "standin.hpp"
// Last: it defines words of the language.
#include <metal_stdlib>

namespace standin {
static std::map<std::string, Shader>& all_shaders() {
  static std::map<std::string, Shader> all;
  return all;
}
bool add_shader(const char* name, Shader shader) { return all_shaders().emplace(name, std::move(shader)).second; }
const Shader* find_shader(const char* name) {
  const auto found = all_shaders().find(name);
  return found == all_shaders().end() ? nullptr : &found->second;
}
}  // namespace standin

namespace metal {
static const standin::Pixels& at(const void* texture, uint x, uint y, uint slice) {
  const auto& p = *static_cast<const standin::Pixels*>(texture);
  require(x < p.width && y < p.height && slice < p.slices, @"pixel (%u, %u) of slice %u in a texture of %lu x %lu x %lu", x, y, slice,
          p.width, p.height, p.slices);
  return p;
}
double texture_base::get(uint x, uint y, uint slice, int channel) const { return at(pixels, x, y, slice).get(x, y, channel, slice); }
void texture_base::put(uint x, uint y, uint slice, int channel, double value) const {
  at(pixels, x, y, slice).put(x, y, channel, value, slice);
}
uint texture_base::width() const { return static_cast<uint>(static_cast<const standin::Pixels*>(pixels)->width); }
uint texture_base::height() const { return static_cast<uint>(static_cast<const standin::Pixels*>(pixels)->height); }
uint texture_base::slices() const { return static_cast<uint>(static_cast<const standin::Pixels*>(pixels)->slices); }
}  // namespace metal
