#include "support.hpp"

#include <array>
#include <optional>

#include "kernels/cnn/values/array_data_source.hpp"
#include "kernels/rnn/matrix_inference_layer.hpp"

using namespace mpskit;
using test::Tensor;

namespace {

// The two products of one gate, and what follows from them.
struct Gate {
  std::vector<float> input, recurrent, bias;
  Gate(std::int64_t inputs, std::int64_t outputs, std::mt19937& random) {
    const auto fill = [&](std::vector<float>& v, std::int64_t n) {
      for (v.resize(static_cast<std::size_t>(n)); float& x : v) x = static_cast<float>(random()) / 8589934592.0f - 0.25f;
    };
    fill(input, outputs * inputs);
    fill(recurrent, outputs * outputs);
    fill(bias, outputs);
  }

  static rnn::Weights weights(const std::vector<float>& values, std::int64_t rows, std::optional<cnn::NeuronType> type, const std::vector<float>& bias) {
    cnn::ArrayDataSource out;
    out.weights = Array::of(values);
    out.weights->shape = {rows, static_cast<std::int64_t>(values.size()) / rows};
    if (type) {
      out.bias = Array::of(bias);
      out.neuron = cnn::NeuronDescriptor{};
      out.neuron->type = *type;
    }
    return out.as_weights();
  }
  rnn::Weights input_weights(cnn::NeuronType type) const { return weights(input, rows(), type, bias); }
  rnn::Weights recurrent_weights() const { return weights(recurrent, rows(), std::nullopt, bias); }
  std::int64_t rows() const { return static_cast<std::int64_t>(bias.size()); }

  double sum(std::int64_t output, const std::vector<double>& x, const std::vector<double>& h) const {
    double out = static_cast<double>(bias[static_cast<std::size_t>(output)]);
    const auto add = [&](const std::vector<float>& w, const std::vector<double>& v) {
      for (std::size_t i = 0; i < v.size(); ++i) out += static_cast<double>(w[static_cast<std::size_t>(output) * v.size() + i]) * v[i];
    };
    add(input, x);
    add(recurrent, h);
    return out;
  }
};

double logistic(double x) { return 1 / (1 + std::exp(-x)); }

}  // namespace

TEST_CASE("MatrixInferenceLayer") {
  constexpr std::int64_t steps = 3, inputs = 9;
  using cnn::NeuronType;
  test::for_each_isa([&] {
    for (const std::int64_t outputs : {1, 21, 70})
      for (const std::int64_t rows : {1, 7})
        for (const bool is_lstm : {true, false}) {
          CAPTURE(outputs);
          CAPTURE(rows);
          CAPTURE(is_lstm);
          std::mt19937 random(5);
          std::vector<Gate> g;
          for (int i = 0; i < (is_lstm ? 4 : 3); ++i) g.emplace_back(inputs, outputs, random);
          rnn::MatrixInferenceLayer layer;
          if (is_lstm) {
            rnn::LSTMDescriptor d;
            d.input_feature_channels = inputs;
            d.output_feature_channels = outputs;
            d.input_gate_input_weights = g[0].input_weights(NeuronType::sigmoid);
            d.input_gate_recurrent_weights = g[0].recurrent_weights();
            d.forget_gate_input_weights = g[1].input_weights(NeuronType::sigmoid);
            d.forget_gate_recurrent_weights = g[1].recurrent_weights();
            d.cell_gate_input_weights = g[2].input_weights(NeuronType::tanh);
            d.cell_gate_recurrent_weights = g[2].recurrent_weights();
            d.output_gate_input_weights = g[3].input_weights(NeuronType::sigmoid);
            d.output_gate_recurrent_weights = g[3].recurrent_weights();
            layer.rnn_descriptors = {d};
          } else {
            rnn::GRUDescriptor d;
            d.input_feature_channels = inputs;
            d.output_feature_channels = outputs;
            d.input_gate_input_weights = g[0].input_weights(NeuronType::sigmoid);
            d.input_gate_recurrent_weights = g[0].recurrent_weights();
            d.recurrent_gate_input_weights = g[1].input_weights(NeuronType::sigmoid);
            d.recurrent_gate_recurrent_weights = g[1].recurrent_weights();
            d.output_gate_input_weights = g[2].input_weights(NeuronType::tanh);
            d.output_gate_recurrent_weights = g[2].recurrent_weights();
            layer.rnn_descriptors = {d};
          }
          const Tensor source(Layout::matrix(DType::f32, rows, inputs, steps)), out(Layout::matrix(DType::f32, rows, outputs, steps));
          source.fill(1);
          test::run(layer, {source}, {out});

          const auto n = static_cast<std::size_t>(outputs);
          std::vector<double> wanted;
          for (std::int64_t r = 0; r < rows; ++r) {
            std::vector<double> h(n), c(n), x(inputs), z(n), gated(n);
            for (std::int64_t t = 0; t < steps; ++t) {
              for (std::int64_t i = 0; i < inputs; ++i) x[static_cast<std::size_t>(i)] = source.at(t, r, i);
              std::vector<double> next(n);
              for (std::size_t o = 0; o < n && !is_lstm; ++o) {
                z[o] = logistic(g[0].sum(static_cast<std::int64_t>(o), x, h));
                gated[o] = logistic(g[1].sum(static_cast<std::int64_t>(o), x, h)) * h[o];
              }
              for (std::size_t o = 0; o < n; ++o) {
                const auto gate = [&](std::size_t i, const std::vector<double>& seen) { return g[i].sum(static_cast<std::int64_t>(o), x, seen); };
                if (is_lstm) {
                  c[o] = logistic(gate(1, h)) * c[o] + logistic(gate(0, h)) * std::tanh(gate(2, h));
                  next[o] = logistic(gate(3, h)) * std::tanh(c[o]);
                } else {
                  next[o] = (1 - z[o]) * std::tanh(gate(2, gated)) + z[o] * h[o];
                }
              }
              h = next;
              wanted.insert(wanted.end(), h.begin(), h.end());
            }
          }
          const auto exact = [&](std::int64_t t, std::int64_t r, std::int64_t o) { return wanted[static_cast<std::size_t>((r * steps + t) * outputs + o)]; };
          test::check<rnn::MatrixInferenceLayer>(out, [&](std::int64_t t, std::int64_t r, std::int64_t o, std::int64_t) { return exact(t, r, o); });

          // The same sequences, ending one after the other.
          const auto length = [&](std::int64_t r) { return (2 * r + 1) % (steps + 1); };
          std::vector<Tensor> in{source};
          for (std::size_t i = 0; i < layer.state_columns().size(); ++i) in.emplace_back(Layout{});
          in.emplace_back(Layout::vector(DType::i32, rows));
          for (std::int64_t r = 0; r < rows; ++r) reinterpret_cast<std::int32_t*>(in.back().operand.data())[r] = static_cast<std::int32_t>(length(r));
          test::run(layer, in, {out});
          test::check<rnn::MatrixInferenceLayer>(out, [&](std::int64_t t, std::int64_t r, std::int64_t o, std::int64_t) { return t < length(r) ? exact(t, r, o) : 0.0; });
        }
  });
}
