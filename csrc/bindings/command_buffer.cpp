#include "bindings/call.hpp"
#include "bindings/convert.hpp"
#include "bindings/devices.hpp"

// mps.CommandBuffer.
namespace mpskit::python {
namespace {

py::object commit(PyCommandBuffer& b, bool caller_waits) {
  std::shared_ptr<Completion> completion;
  {
    const Unlocked unlocked;
    completion = b.buffer->commit(caller_waits);
  }
  b.completion = py::cast(PyCompletion{std::move(completion), py::none()});
  return b.completion;
}

const Completion& committed(const PyCommandBuffer& b, std::string_view what) {
  if (!b.completion)
    throw ValueError(cat("CommandBuffer: ", what, " before commit; allowed: after it. Call commit() first."));
  return *py::cast<const PyCompletion&>(b.completion).completion;
}

py::object temporary(PyCommandBuffer& b, const Extents& e) {
  return make_data(b.buffer->temporary(e.layout), e.rank, b.buffer->engine());
}

}  // namespace

void bind_command_buffer(py::module_& m) {
  const py::none none;
  py::class_<PyCommandBuffer> buffer(m, "CommandBuffer",
                                     R"(Work that is recorded, committed once, and then runs in order.

From `device.command_buffer()`. As a context manager it commits at the end of the block and waits; when the block raises, nothing
runs. Several threads may encode into one.)");
  buffer.def(
            "commit", [](PyCommandBuffer& b) { return commit(b, false); }, "Start the work; a Completion. Once.")
      .def(
          "wait",
          [](const PyCommandBuffer& b, py::handle timeout) {
            std::optional<double> seconds;
            if (!timeout.is_none())
              seconds = to_double(timeout, Where{"CommandBuffer", "timeout", Range{.min = 0}, "s"});
            wait(committed(b, "wait"), seconds);
          },
          py::arg("timeout") = none, "Wait for the end of committed work. Raises as `Completion.wait`.")
      .def(
          "discard",
          [](PyCommandBuffer& b) {
            b.buffer->discard();
            drop_released();
          },
          "End it with nothing run; committed work is not touched.")
      .def_property_readonly(
          "completion", [](const PyCommandBuffer& b) { return b.completion ? b.completion : py::none(); },
          "The Completion; None before commit.")
      .def_property_readonly(
          "label", [](const PyCommandBuffer& b) { return b.label; }, "Its name in GPU captures and errors.")
      .def_property_readonly(
          "device", [](const PyCommandBuffer& b) { return Device{b.buffer->engine()}; }, "The device that runs it.")
      .def(
          "temporary_image",
          [](PyCommandBuffer& b, py::handle width, py::handle height, py::handle channels, py::handle images,
             py::handle format) {
            return temporary(b,
                             image_extents("CommandBuffer.temporary_image", width, height, channels, images, format));
          },
          py::kw_only(), py::arg("width") = none, py::arg("height") = none, py::arg("feature_channels") = none,
          py::arg("number_of_images") = none, py::arg("channel_format") = "unorm8",
          "A TemporaryImage to encode into, with out=. Keywords as of Image.empty().")
      .def(
          "temporary_matrix",
          [](PyCommandBuffer& b, py::handle rows, py::handle columns, py::handle matrices, py::handle dtype) {
            return temporary(b, matrix_extents("CommandBuffer.temporary_matrix", rows, columns, matrices, dtype,
                                               py::none(), py::none()));
          },
          py::kw_only(), py::arg("rows") = none, py::arg("columns") = none, py::arg("matrices") = none, py::arg("dtype") = "float32",
          "A TemporaryMatrix to encode into, with out=. Keywords as of Matrix.empty().")
      .def(
          "temporary_vector",
          [](PyCommandBuffer& b, py::handle length, py::handle vectors, py::handle dtype) {
            return temporary(b, vector_extents("CommandBuffer.temporary_vector", length, vectors, dtype, py::none()));
          },
          py::kw_only(), py::arg("length") = none, py::arg("vectors") = none, py::arg("dtype") = "float32",
          "A TemporaryVector to encode into, with out=. Keywords as of Vector.empty().")
      .def("__enter__", [](const py::object& self) { return self; })
      .def("__exit__",
           [](PyCommandBuffer& b, const py::object& type, const py::object&, const py::object&) {
             if (!type.is_none()) {
               b.buffer->discard();  // the block's own error goes on
               return;
             }
             if (b.buffer->is_open()) commit(b, true);
             if (b.completion) wait(committed(b, "wait"));
           })
      .def("__repr__", [](const PyCommandBuffer& b) {
        return cat("<mps.CommandBuffer", b.label.empty() ? "" : " ", b.label, " on ", b.buffer->engine()->name(),
                   b.completion          ? ", committed>"
                   : b.buffer->is_open() ? ", open>"
                                         : ", discarded>");
      });
  buffer.attr("__module__") = "mpskit";

  py::object device = m.attr("Device");
  device.attr("command_buffer") = py::cpp_function(
      [](const Device& d, py::handle name) {
        std::string label = Converter<std::string>::from(name, Where{"Device.command_buffer", "label", {}, ""});
        return PyCommandBuffer{std::make_shared<CommandBuffer>(d.engine, label), std::move(label), {}};
      },
      py::name("command_buffer"), py::is_method(device), py::arg("label") = "",
      R"(A new CommandBuffer; `label` names it in GPU captures and errors.)");
}

}  // namespace mpskit::python
