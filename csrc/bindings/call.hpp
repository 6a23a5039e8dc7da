#pragma once
#include "bindings/data.hpp"
#include "core/dispatch.hpp"

// Calling a kernel from Python: arrays in, arrays out; Images in, Image out.
namespace mpskit::python {

// A kernel object of Python: the value and the plans that it has met. Base of every bound kernel class.
struct BoundKernel {
  std::shared_ptr<const Kernel> kernel;
  std::shared_ptr<PlanCache> plans = std::make_shared<PlanCache>();
};

struct PyCommandBuffer;  // mps.CommandBuffer, in devices.cpp

py::object call(const BoundKernel& self, const py::args& inputs, const py::kwargs& options);
py::object submit(const BoundKernel& self, const py::args& inputs, const py::kwargs& options);
py::object encode(const BoundKernel& self, PyCommandBuffer& buffer, const py::args& inputs, const py::kwargs& options);

// mps.Completion: the end of submitted work, and what it gives.
struct PyCompletion {
  std::shared_ptr<Completion> completion;
  py::object result;
};

struct PyCommandBuffer {
  std::unique_ptr<CommandBuffer> buffer;
  std::shared_ptr<Completion> completion;  // after commit
};

}  // namespace mpskit::python
