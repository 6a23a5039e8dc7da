#pragma once
#include <exception>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "kernels/cnn/values/convolution_descriptor.hpp"

namespace mpskit::cnn {

// Weights while they are loaded.
struct WeightsView {
  DType dtype = DType::f32;               // f32, f16 or u8
  const std::byte* weights = nullptr;     // [output][kernel_height][kernel_width][input / groups], contiguous
  std::span<const float> bias;            // one an output channel, or none
  std::span<const float> ranges;          // u8, linear: (min, max) for each output channel
  std::span<const float> lookup_table;    // u8, by table: 256 entries
  std::shared_ptr<const void> keeper;     // what must live until the purge, when there is something
};

// Where a convolution, a fully connected or a recurrent layer has its weights from (MPSCNNConvolutionDataSource). They are loaded
// just in time, one layer after the other, and purged when the plan has its own form of them; so those of a network need not be in
// memory together. Any thread may call, several at once: every load() that returned is followed by one purge().
class DataSource {
 public:
  virtual ~DataSource() = default;
  virtual const ConvolutionDescriptor& descriptor() const = 0;  // never changes; needs no weights
  virtual std::string label() const = 0;                        // empty: none
  virtual WeightsView load() const = 0;                         // checked against the descriptor; stays until purge()
  virtual void purge() const = 0;
  virtual bool equals(const DataSource& other) const { return this == &other; }
};

// A data source as a parameter. Null in a kernel that nobody has given any.
struct Weights {
  std::shared_ptr<const DataSource> source;
  const DataSource* operator->() const { return source.get(); }
  bool is_null() const { return !source; }
  bool operator==(const Weights& o) const {
    return source == o.source || (source && o.source && source->equals(*o.source));
  }
};

// f(view) between load and purge.
template <class F>
void with_weights(const DataSource& source, F&& f) {
  const WeightsView view = source.load();
  try {
    f(view);
  } catch (...) {
    const std::exception_ptr first = std::current_exception();
    try {
      source.purge();
    } catch (...) {  // the error that came first is the one to tell
    }
    std::rethrow_exception(first);
  }
  source.purge();
}

// What the weights stand for, as float32: float16 exactly, u8 by range or table. Output channels [first, first + count).
void dequantize(const WeightsView& view, const ConvolutionDescriptor& d, std::int64_t first, std::int64_t count, float* out);
std::vector<float> dequantized(const WeightsView& view, const ConvolutionDescriptor& d);

// Throws unless arrays of these kinds are the weights that `d` speaks of; `who` is the data source.
void require_weights(std::string_view who, const ConvolutionDescriptor& d, const Array& weights, const Array* bias, const Array* ranges,
                     const Array* lookup_table);
// The descriptor's sizes from weights (output, height, width, input / groups), or (output, input) for a 1x1 kernel.
void take_sizes(std::string_view who, const Array& weights, std::int64_t groups, ConvolutionDescriptor& d);
WeightsView view_of(const Array& weights, const Array* bias, const Array* ranges, const Array* lookup_table);

}  // namespace mpskit::cnn
