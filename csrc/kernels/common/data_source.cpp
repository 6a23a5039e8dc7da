#include "kernels/common/data_source.hpp"

#include "core/error.hpp"
#include "core/text.hpp"
#include "kernels/cnn/values/array_data_source.hpp"

namespace mpskit::cnn {

void ConvolutionDescriptor::require(std::string_view who) const {
  const auto divisible = [&](std::string_view name, std::int64_t channels) {
    if (channels % groups != 0)
      throw ValueError(cat(who, ": groups is ", groups, ", ", name, " is ", channels, "; allowed: a divisor of the channels. Pass one, such as 1."));
  };
  divisible("input_feature_channels", input_feature_channels);
  divisible("output_feature_channels", output_feature_channels);
  if (neuron) neuron->require_channels(who, output_feature_channels);
  if (batch_normalization) batch_normalization->require_channels(who, output_feature_channels);
}

void take_sizes(std::string_view who, const Array& w, std::int64_t groups, ConvolutionDescriptor& d) {
  const bool is_matrix = w.shape.size() == 2;
  if (w.shape.size() != 4 && !is_matrix)
    throw ValueError(cat(who, ": weights is ", w.describe(), "; allowed: (output, height, width, input / groups), or (output, input). "
                         "From PyTorch or ONNX take w.transpose(0, 2, 3, 1)."));
  if (w.elements() == 0) throw ValueError(cat(who, ": weights is ", w.describe(), "; allowed: one or more on each axis."));
  d.output_feature_channels = w.shape[0];
  d.kernel_height = is_matrix ? 1 : w.shape[1];
  d.kernel_width = is_matrix ? 1 : w.shape[2];
  d.input_feature_channels = w.shape.back() * groups;
  d.groups = groups;
}

void require_weights(std::string_view who, const ConvolutionDescriptor& d, const Array& w, const Array* bias, const Array* ranges, const Array* table) {
  if (w.dtype != DType::f32 && w.dtype != DType::f16 && w.dtype != DType::u8)
    throw TypeError(cat(who, ": weights is ", w.describe(), "; allowed: float32, float16, uint8. Convert it with astype()."));
  ConvolutionDescriptor sizes;
  take_sizes(who, w, d.groups, sizes);
  if (sizes.output_feature_channels != d.output_feature_channels || sizes.kernel_height != d.kernel_height || sizes.kernel_width != d.kernel_width ||
      sizes.input_feature_channels != d.input_feature_channels)
    throw ValueError(cat(who, ": weights is ", w.describe(), ", the descriptor says (", d.output_feature_channels, ", ", d.kernel_height, ", ", d.kernel_width,
                         ", ", d.inputs_per_group(), "); allowed: the same. Load the weights that the descriptor speaks of."));
  const auto floats = [&](std::string_view name, const Array* a, std::int64_t count, std::string_view each) {
    if (!a) return;
    if (a->dtype != DType::f32) throw TypeError(cat(who, ": ", name, " is ", a->describe(), "; allowed: float32. Convert it with astype()."));
    if (a->elements() != count) throw ValueError(cat(who, ": ", name, " is ", a->describe(), "; allowed: ", count, " numbers, ", each, ". Pass as many."));
  };
  floats("bias", bias, d.output_feature_channels, "one for each output channel");
  floats("ranges", ranges, 2 * d.output_feature_channels, "(min, max) for each output channel");
  floats("lookup_table", table, 256, "one for each value of uint8");
  const bool is_quantized = w.dtype == DType::u8;
  if (is_quantized ? !ranges == !table : ranges || table)
    throw ValueError(cat(who, ": weights is ", w.describe(), " with ", ranges ? (table ? "ranges and lookup_table" : "ranges") : table ? "lookup_table" : "neither ranges nor lookup_table",
                         "; allowed: one of ranges and lookup_table for uint8, none for floats. ",
                         is_quantized ? "Say what the codes stand for." : "Omit them."));
}

WeightsView view_of(const Array& weights, const Array* bias, const Array* ranges, const Array* table) {
  const auto floats = [](const Array* a) { return a ? a->floats() : std::span<const float>{}; };
  return {weights.dtype, weights.data(), floats(bias), floats(ranges), floats(table), nullptr};
}

void dequantize(const WeightsView& v, const ConvolutionDescriptor& d, std::int64_t first, std::int64_t count, float* out) {
  const std::int64_t each = d.weight_count() / d.output_feature_channels, begin = first * each, n = count * each;
  switch (v.dtype) {
    case DType::f32: {
      const auto* w = reinterpret_cast<const float*>(v.weights) + begin;
      std::copy(w, w + n, out);
      break;
    }
    case DType::f16: {
      const auto* w = reinterpret_cast<const std::uint16_t*>(v.weights) + begin;
      for (std::int64_t i = 0; i < n; ++i) out[i] = half_to_float(w[i]);
      break;
    }
    default: {
      const auto* w = reinterpret_cast<const std::uint8_t*>(v.weights) + begin;
      for (std::int64_t o = 0; o < count; ++o)
        for (std::int64_t i = o * each; i < (o + 1) * each; ++i) {
          if (!v.lookup_table.empty()) {
            out[i] = v.lookup_table[w[i]];
            continue;
          }
          const float* range = &v.ranges[static_cast<std::size_t>(2 * (first + o))];
          out[i] = static_cast<float>(w[i] / 255.0 * (double{range[1]} - range[0]) + range[0]);
        }
    }
  }
}
std::vector<float> dequantized(const WeightsView& view, const ConvolutionDescriptor& d) {
  std::vector<float> out(static_cast<std::size_t>(d.weight_count()));
  dequantize(view, d, 0, d.output_feature_channels, out.data());
  return out;
}

namespace {

const Array* pointer(const std::optional<Array>& a) { return a ? &*a : nullptr; }

class ArraySource final : public DataSource {
 public:
  explicit ArraySource(ArrayDataSource arrays) : arrays_(std::move(arrays)), descriptor_(arrays_.descriptor()) {}
  const ConvolutionDescriptor& descriptor() const override { return descriptor_; }
  std::string label() const override { return arrays_.label; }
  WeightsView load() const override { return view_of(*arrays_.weights, pointer(arrays_.bias), pointer(arrays_.ranges), pointer(arrays_.lookup_table)); }
  void purge() const override {}
  bool equals(const DataSource& other) const override {
    const auto* o = dynamic_cast<const ArraySource*>(&other);
    return o && arrays_ == o->arrays_;
  }
  const ArrayDataSource& arrays() const { return arrays_; }

 private:
  ArrayDataSource arrays_;
  ConvolutionDescriptor descriptor_;
};

}  // namespace

ConvolutionDescriptor ArrayDataSource::descriptor() const {
  const std::string who = label.empty() ? std::string(info.name) : cat(info.name, " '", label, "'");
  if (!weights) throw ValueError(cat(who, ": weights is None; allowed: an array (output, height, width, input / groups). Pass it first."));
  ConvolutionDescriptor d;
  take_sizes(who, *weights, groups, d);
  d.stride_in_pixels_x = stride_in_pixels_x;
  d.stride_in_pixels_y = stride_in_pixels_y;
  d.dilation_rate_x = dilation_rate_x;
  d.dilation_rate_y = dilation_rate_y;
  d.neuron = neuron;
  d.batch_normalization = batch_normalization;
  d.require(who);
  require_weights(who, d, *weights, pointer(bias), pointer(ranges), pointer(lookup_table));
  return d;
}
Weights ArrayDataSource::as_weights() const { return {std::make_shared<const ArraySource>(*this)}; }
const ArrayDataSource* arrays_of(const DataSource& source) {
  const auto* a = dynamic_cast<const ArraySource*>(&source);
  return a ? &a->arrays() : nullptr;
}

}  // namespace mpskit::cnn
