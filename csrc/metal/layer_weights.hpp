#pragma once
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kernels/common/data_source.hpp"

namespace mpskit::metal {

// The weights of a data source in the form that MPS takes, between its load() and its purge(). Errors are kept, not thrown: MPS'
// own frames lie between load() and whoever asked for the layer. Plain C++, as only a .cpp file can catch.
class LayerWeights {
 public:
  // How MPS gets them. Dense: channels that MPS cannot group become zeros in a convolution of one group.
  enum class Groups : std::uint8_t { as_they_are, depthwise, dense };
  struct Form {
    Groups groups = Groups::as_they_are;
    bool is_float32 = false;  // whatever the source has
    bool is_half = false;     // kept as float16 in the kernel: what its half accumulator needs
    bool is_diagonal = false; // of a square matrix
    std::function<void(const cnn::WeightsView&)> check{};  // throws; null: nothing to check
  };
  // `bias` takes the place of the source's.
  LayerWeights(cnn::Weights source, cnn::ConvolutionDescriptor d, std::optional<Array> bias, Form form);

  // What MPS is told: the groups are those of the form, and batch normalization is in the weights.
  const cnn::ConvolutionDescriptor& descriptor() const { return descriptor_; }
  Groups groups() const { return form_.groups; }
  std::string label() const { return source_->label(); }

  bool load() noexcept;  // false: rethrow() says why
  void purge() noexcept;
  void rethrow();        // what failed since the last time

  // While they are loaded.
  DType dtype() const { return own_.empty() ? view_.dtype : DType::f32; }
  bool keeps_float32() const { return keeps_float32_; }  // in the kernel; else it has float16
  const void* weights() const { return own_.empty() ? static_cast<const void*>(view_.weights) : own_.data(); }
  const float* bias() const { return own_bias_.empty() ? view_.bias.data() : own_bias_.data(); }
  const float* ranges() const { return own_ranges_.data(); }  // aligned to pairs
  const float* lookup_table() const { return view_.lookup_table.data(); }
  bool has_table() const { return !view_.lookup_table.empty(); }

 private:
  void convert();
  void clear();

  cnn::Weights source_;
  cnn::ConvolutionDescriptor given_, descriptor_;
  std::optional<Array> bias_;
  Form form_;
  int loads_ = 0;
  cnn::WeightsView view_;
  std::vector<float> own_, own_bias_, own_ranges_;
  bool keeps_float32_ = false;
  std::exception_ptr error_;
};

// MPS wants a multiple of four channels in each group.
LayerWeights::Groups groups_for_mps(const cnn::ConvolutionDescriptor& d);

}  // namespace mpskit::metal
