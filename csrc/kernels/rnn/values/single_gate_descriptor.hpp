#pragma once
#include "core/value.hpp"
#include "kernels/common/rnn_descriptor.hpp"

namespace mpskit::rnn {

struct SingleGateDescriptor : Descriptor {
  Weights input_weights, recurrent_weights;
  bool operator==(const SingleGateDescriptor&) const = default;

  static constexpr KernelInfo info{
      "SingleGateDescriptor", "A plain recurrent layer: h1 = g(W x + U h0 + b).", "MPSRNNSingleGateDescriptor, in MPSRNNLayer.h",
      "Without input weights there is no bias and no neuron."};
  static constexpr auto fields = std::tuple_cat(
      descriptor_fields,
      std::tuple{Field{"input_weights", &SingleGateDescriptor::input_weights, Range{}, "", "W, b and g: (output, input), with bias and neuron."},
                 Field{"recurrent_weights", &SingleGateDescriptor::recurrent_weights, Range{}, "", "U: (output, output)."}});
  static constexpr int positional = 2;

  std::array<SourceOf, 2> sources() const {
    using enum SourceOf::Role;
    return {{{"input_weights", input_weights, input}, {"recurrent_weights", recurrent_weights, recurrent}}};
  }
  void validate() const { require_sources(info.name, *this, sources()); }
};

}  // namespace mpskit::rnn

MPSKIT_VALUE(rnn, SingleGateDescriptor)
