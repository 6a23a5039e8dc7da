// A shader that was compiled as C++, as the stand-in calls it.
#pragma once
#include <cstddef>
#include <vector>

namespace standin {

// One parameter of a kernel, as its C++ type tells.
struct Parameter {
  enum Kind { buffer, texture, position } kind;
  int usage;           // of what it points to: 1 is read, 2 written
  std::size_t bytes;   // that a buffer must have
  bool is_array;       // of a texture
};
struct Argument {  // what is bound to it; of a position: one of the grid's
  void* pointer;
  unsigned position[3];
};

struct Shader {
  std::vector<Parameter> parameters;
  void (*call)(void (*function)(), const Argument* arguments);
  void (*function)();
};
bool add_shader(const char* name, Shader shader);
const Shader* find_shader(const char* name);

}  // namespace standin
