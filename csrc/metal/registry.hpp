#pragma once
#include <memory>
#include <optional>
#include <string>

#include "core/engine.hpp"

namespace mpskit::metal {

class Context;
class MetalPlan;
struct GraphNode;  // cnn/node.hpp

struct Registration {
  std::unique_ptr<MetalPlan> (*make)(const Kernel& kernel, const Call& call, const Context& context);
  // Nothing when MPS can, else why not in words; may be null.
  std::optional<std::string> (*refuses)(const Kernel& kernel, const Call& call, const Context& context);
  // The kernel as a node of an MPSNNGraph, of these MPSNNImageNodes in an NSArray; null when MPS has none.
  GraphNode (*node)(const Kernel& kernel, const Call& call, const void* sources) = nullptr;
};
void register_kernel(const KernelType& type, Registration registration);
const Registration* registration_of(const Kernel& kernel);  // null: no Metal kernel

}  // namespace mpskit::metal
