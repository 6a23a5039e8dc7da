#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <tuple>

#include "core/field.hpp"
#include "kernels/common/data_source.hpp"

namespace mpskit::rnn {

enum class SequenceDirection { forward, backward };
enum class BidirectionalCombineMode { none, add, concatenate };

using Weights = std::optional<cnn::Weights>;  // nothing: zeros, and for an input's weights no bias and no neuron either

// What every layer has (MPSRNNDescriptor).
struct Descriptor {
  std::int64_t input_feature_channels = 1, output_feature_channels = 1;
  bool use_layer_input_unit_transform_mode = false;
  bool use_float32_weights = true;
  SequenceDirection layer_sequence_direction = SequenceDirection::forward;
  bool operator==(const Descriptor&) const = default;

  static constexpr Range channels{.min = 1, .max = 1 << 24};
  static constexpr std::tuple descriptor_fields{
      Field{"input_feature_channels", &Descriptor::input_feature_channels, channels, "channels", "Columns of the source: numbers of one sequence at one time step."},
      Field{"output_feature_channels", &Descriptor::output_feature_channels, channels, "channels", "Columns of the result, and of every recurrent matrix."},
      Field{"use_layer_input_unit_transform_mode", &Descriptor::use_layer_input_unit_transform_mode, Range{}, "",
            "Take the identity for all weights that act on the source, also where there are none; their biases and neurons still count."},
      Field{"use_float32_weights", &Descriptor::use_float32_weights, Range{}, "",
            "Multiply with the weights as they are; False rounds them to float16 first, biases excepted. Apple's default is False."},
      Field{"layer_sequence_direction", &Descriptor::layer_sequence_direction, Range{}, "", "Which end of the sequence the layer begins at."}};
};

// One of a descriptor's sources, for whoever walks through them.
struct SourceOf {
  enum class Role : std::uint8_t { input, recurrent, memory, diagonal };
  std::string_view field;
  const Weights& weights;
  Role role;
};

// Throws unless each source is a matrix of the right size, and only those of inputs have a neuron; `who` is the descriptor.
void require_sources(std::string_view who, const Descriptor& d, std::span<const SourceOf> sources);

}  // namespace mpskit::rnn

template <>
inline constexpr auto mpskit::enum_names<mpskit::rnn::SequenceDirection> = std::array<std::string_view, 2>{"forward", "backward"};
template <>
inline constexpr auto mpskit::enum_names<mpskit::rnn::BidirectionalCombineMode> = std::array<std::string_view, 3>{"none", "add", "concatenate"};
