#pragma once
#include "bindings/data.hpp"
#include "core/dispatch.hpp"

// Calling a kernel from Python: arrays in, arrays out; Images in, Image out.
namespace mpskit::python {

// A kernel object of Python: the value and the plans that it has met. Base of every bound kernel class.
struct alignas(needs_init) BoundKernel {
  MPSKIT_NEEDS_INIT
  std::shared_ptr<const Kernel> kernel;
  std::shared_ptr<PlanCache> plans = std::make_shared<PlanCache>();
};
py::class_<BoundKernel> bind_calls(py::module_& module);                     // Kernel, the base of all kernel classes
void bind_values(py::module_& module, py::class_<BoundKernel>& kernel);      // kernels and parameter objects

// mps.Completion: the end of submitted work, and what it gives.
struct alignas(needs_init) PyCompletion {
  MPSKIT_NEEDS_INIT
  std::shared_ptr<Completion> completion;
  py::object result;
  int pending = 0;  // callbacks that were added and have not run; under the GIL
};

// mps.CommandBuffer.
struct alignas(needs_init) PyCommandBuffer {
  MPSKIT_NEEDS_INIT
  std::shared_ptr<CommandBuffer> buffer;
  std::string label;
  py::object completion;  // after commit
};

}  // namespace mpskit::python
