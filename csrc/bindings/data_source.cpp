#include "bindings/data_source.hpp"

#include "bindings/data.hpp"
#include "kernels/cnn/values/array_data_source.hpp"

namespace mpskit::python {
namespace {

using cnn::ArrayDataSource, cnn::ConvolutionDescriptor;

Layout layout_of(const Array& a) {
  const auto& s = a.shape;
  switch (s.size()) {
    case 1: return Layout::vector(a.dtype, s[0]);
    case 2: return Layout::matrix(a.dtype, s[0], s[1]);
    case 3: return Layout::matrix(a.dtype, s[1], s[2], s[0]);
    default: return Layout::image(a.dtype, s[0], s[1], s[2], s[3]);
  }
}

// A data source that the user wrote: any object with load(). Between load() and purge() it has the attributes of an
// ArrayDataSource; what it lacks is as there. With `descriptor`, a ConvolutionDescriptor, the weights need not be at hand to know sizes.
class PythonSource final : public cnn::DataSource {
 public:
  explicit PythonSource(const py::object& object) : object_(keep(object)), name_(type_name(object)) {
    if (py::hasattr(object, "label") && !object.attr("label").is_none()) label_ = py::cast<std::string>(py::str(object.attr("label")));
    between_load_and_purge([&] {
      if (py::hasattr(object, "descriptor")) descriptor_ = Converter<ConvolutionDescriptor>::from(object.attr("descriptor"), where("descriptor"));
      else descriptor_ = arrays({}).descriptor();
    });
  }
  const ConvolutionDescriptor& descriptor() const override { return descriptor_; }
  std::string label() const override { return label_; }
  cnn::WeightsView load() const override {
    const Locked locked;
    begin();
    try {
      return read();
    } catch (...) {
      end_after_an_error();
      throw;
    }
  }
  void purge() const override {
    const Locked locked;
    if (py::hasattr(object(), "purge")) object().attr("purge")();
  }
  bool equals(const DataSource& other) const override {
    const auto* o = dynamic_cast<const PythonSource*>(&other);
    if (!o) return false;
    const Locked locked;
    return object().equal(o->object());
  }
  py::handle object() const { return static_cast<PyObject*>(object_.get()); }

  // All that it says and holds, loaded once; the arrays stay while the value does.
  ArrayDataSource loaded() const {
    ArrayDataSource out;
    between_load_and_purge([&] {
      static_cast<void>(read());  // checks
      out = arrays(names_of_arrays);
    });
    out.neuron = descriptor_.neuron;
    out.batch_normalization = descriptor_.batch_normalization;
    out.stride_in_pixels_x = descriptor_.stride_in_pixels_x;
    out.stride_in_pixels_y = descriptor_.stride_in_pixels_y;
    out.dilation_rate_x = descriptor_.dilation_rate_x;
    out.dilation_rate_y = descriptor_.dilation_rate_y;
    out.groups = descriptor_.groups;
    out.label = label_;
    return out;
  }

 private:
  static constexpr std::array<std::string_view, 4> names_of_arrays{"weights", "bias", "ranges", "lookup_table"};

  std::string who() const { return label_.empty() ? name_ : cat(name_, " '", label_, "'"); }
  Where where(std::string_view field) const { return {name_, field, Range{}, ""}; }

  void begin() const {
    if (object().attr("load")().ptr() == Py_False)
      throw ValueError(cat(who(), ": load() returned False; allowed: True or None, when the weights are there. Raise an exception that says what is missing."));
  }
  void end_after_an_error() const {
    try {
      purge();
    } catch (...) {  // the error that came first is the one to tell
    }
  }
  template <class F>
  void between_load_and_purge(F&& f) const {
    begin();
    try {
      f();
    } catch (...) {
      end_after_an_error();
      throw;
    }
    purge();
  }
  // Its attributes as those of an ArrayDataSource: all, or only these.
  ArrayDataSource arrays(std::span<const std::string_view> names) const {
    const ValueType& type = value_type<ArrayDataSource>();
    py::dict given;
    const auto take = [&](std::string_view name) {
      const std::string text(name);
      if (!py::hasattr(object(), text.c_str())) return;
      const py::object value = object().attr(text.c_str());
      if (!value.is_none()) given[py::str(text)] = value;
    };
    if (names.empty()) {
      for (const FieldInfo& f : type.fields) take(f.name);
      for (const Alias& a : type.aliases) take(a.word);
      return *std::static_pointer_cast<const ArrayDataSource>(construct(type, py::args(), py::kwargs(given)));
    }
    for (const std::string_view name : names) take(name);
    ArrayDataSource out;
    for (const FieldInfo& f : type.fields)
      if (const py::str name{std::string(f.name)}; given.contains(name)) set_field(type, f, &out, given[name]);
    return out;
  }
  cnn::WeightsView read() const {
    const auto held = std::make_shared<const ArrayDataSource>(arrays(names_of_arrays));
    if (!held->weights)
      throw ValueError(cat(who(), ": weights is None after load(); allowed: an array (output, height, width, input / groups). Set self.weights in load()."));
    const auto pointer = [](const std::optional<Array>& a) { return a ? &*a : nullptr; };
    cnn::require_weights(who(), descriptor_, *held->weights, pointer(held->bias), pointer(held->ranges), pointer(held->lookup_table));
    cnn::WeightsView view = cnn::view_of(*held->weights, pointer(held->bias), pointer(held->ranges), pointer(held->lookup_table));
    view.keeper = held;
    return view;
  }

  std::shared_ptr<void> object_;
  std::string name_, label_;
  ConvolutionDescriptor descriptor_;
};

constexpr std::string_view paddings = "'same', 'valid', 'full', an integer, (vertical, horizontal) or ((top, bottom), (left, right))";
constexpr std::array<std::string_view, 3> sizes{"same", "valid", "full"};

std::int64_t to_pixels(py::handle value, const Where& w) { return to_int(value, Where{w.kernel, w.field, Range{.min = -65536, .max = 65536}, "px"}); }
std::array<std::int64_t, 2> to_pair(py::handle value, const Where& w) {
  if (py::isinstance<py::str>(value) || !py::isinstance<py::sequence>(value)) return {to_pixels(value, w), to_pixels(value, w)};
  const auto s = py::reinterpret_borrow<py::sequence>(value);
  if (s.size() != 2) refuse_value(w, value, paddings, "Pass a pair.");
  return {to_pixels(py::object(s[0]), w), to_pixels(py::object(s[1]), w)};
}

}  // namespace

Array Converter<Array>::from(py::handle value, const Where& w) {
  constexpr std::string_view allowed = "an array with one to four axes, or a list of numbers";
  py::object object = py::reinterpret_borrow<py::object>(value);
  if (PyList_Check(value.ptr()) || PyTuple_Check(value.ptr())) {
    try {
      object = py::module_::import("numpy").attr("asarray")(value, "float32");
    } catch (const py::error_already_set&) {
      refuse_type(w, value, allowed, "Pass an array of float32.");
    }
  }
  if (!py::hasattr(object, "ndim")) refuse_type(w, value, allowed, "Pass an array of float32.");
  const auto rank = py::cast<int>(object.attr("ndim"));
  if (rank < 1 || rank > 4)
    throw ValueError(cat(w.kernel, ": ", w.field, " has ", rank, " axes; allowed: ", allowed, ". Reshape it."));
  const Kind kind = rank == 1 ? Kind::vector : rank == 4 ? Kind::image : Kind::matrix;
  Taken t = take(object, kind, Who{w.kernel, w.field});
  if (!t.operand.layout.is_packed()) t = take(py::module_::import("numpy").attr("ascontiguousarray")(object), kind, Who{w.kernel, w.field});
  const ArrayShape shape = array_shape(t.operand.layout, rank);
  return {t.operand.layout.dtype, {shape.shape.begin(), shape.shape.begin() + rank}, t.operand.storage, t.operand.offset};
}
py::object Converter<Array>::to(const Array& a) {
  if (a.is_null()) return py::none();
  return as_array(Operand{layout_of(a), a.storage, a.offset, nullptr}, static_cast<int>(a.shape.size()), false);
}

cnn::Weights Converter<cnn::Weights>::from(py::handle value, const Where& w) {
  if (value.is_none()) return {};
  if (py::isinstance<BoundValue>(value)) return Converter<ArrayDataSource>::from(value, w).as_weights();
  if (py::hasattr(value, "load")) return {std::make_shared<const PythonSource>(py::reinterpret_borrow<py::object>(value))};
  ArrayDataSource arrays;
  arrays.weights = Converter<Array>::from(value, w);
  arrays.validate();
  return arrays.as_weights();
}
py::object Converter<cnn::Weights>::to(const cnn::Weights& value) {
  if (value.is_null()) return py::none();
  if (const auto* python = dynamic_cast<const PythonSource*>(value.source.get())) return py::reinterpret_borrow<py::object>(python->object());
  if (const ArrayDataSource* arrays = cnn::arrays_of(*value.source)) return Converter<ArrayDataSource>::to(*arrays);
  return py::none();
}

cnn::Padding Converter<cnn::Padding>::from(py::handle value, const Where& w) {
  if (py::isinstance<py::str>(value)) return {static_cast<cnn::Padding::Size>(to_enum(value, w, sizes))};
  cnn::Padding p{cnn::Padding::Size::pixels};
  if (!py::isinstance<py::sequence>(value)) {
    if (PyBool_Check(value.ptr()) || !PyIndex_Check(value.ptr())) refuse_type(w, value, paddings, "Pass one of these.");
    p.top = p.bottom = p.left = p.right = to_pixels(value, w);
    return p;
  }
  const auto s = py::reinterpret_borrow<py::sequence>(value);
  if (s.size() != 2) refuse_value(w, value, paddings, "Pass a pair.");
  const auto y = to_pair(py::object(s[0]), w), x = to_pair(py::object(s[1]), w);
  return {p.size, y[0], y[1], x[0], x[1]};
}
py::object Converter<cnn::Padding>::to(const cnn::Padding& p) {
  if (p.size != cnn::Padding::Size::pixels) return py::str(std::string(sizes[static_cast<std::size_t>(p.size)]));
  return py::make_tuple(py::make_tuple(p.top, p.bottom), py::make_tuple(p.left, p.right));
}

void bind_data_sources(py::module_& m) {
  m.def("_array_data_source", [](const py::object& source) {
    const cnn::Weights weights = Converter<cnn::Weights>::from(source, Where{"_array_data_source", "source", Range{}, ""});
    const auto* python = dynamic_cast<const PythonSource*>(weights.source.get());
    return python ? Converter<ArrayDataSource>::to(python->loaded()) : Converter<cnn::Weights>::to(weights);
  }, py::arg("source"), "What a data source holds, loaded once, as an ArrayDataSource.");
}

}  // namespace mpskit::python
