#pragma once
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

// What the network kernels compute, on one image of channels-last floats. Plain loops in the order of the definition: a
// reference to look at, not to wait for.
namespace standin {

using Index = std::ptrdiff_t;

inline float half(float v) { return static_cast<float>(static_cast<_Float16>(v)); }  // round to nearest even

struct Tensor {
  Index height = 0, width = 0, channels = 0;
  std::vector<float> values;
  Tensor() = default;
  Tensor(Index h, Index w, Index c) : height(h), width(w), channels(c), values(static_cast<std::size_t>(h * w * c)) {}
  float* at(Index y, Index x) { return values.data() + (y * width + x) * channels; }
  const float* at(Index y, Index x) const { return values.data() + (y * width + x) * channels; }
};

// Tap k of output i reads offset - extent / 2 + k * dilation + i * stride: even windows lean to the left and to the top.
struct Axis {
  Index kernel = 1, stride = 1, dilation = 1, offset = 0;
  Index extent() const { return (kernel - 1) * dilation + 1; }
  Index tap(Index output, Index k) const { return offset - extent() / 2 + k * dilation + output * stride; }
};
struct LayerWindow {
  Axis y, x;
  bool clamps = false;  // else what lies beyond the border is 0
  // The pixel that a tap reads; null for one of zeros.
  const float* pixel(const Tensor& src, Index ty, Index tx) const {
    if (clamps) return src.at(std::clamp<Index>(ty, 0, src.height - 1), std::clamp<Index>(tx, 0, src.width - 1));
    return ty < 0 || tx < 0 || ty >= src.height || tx >= src.width ? nullptr : src.at(ty, tx);
  }
};

enum class NeuronType {
  none, relu, linear, sigmoid, hard_sigmoid, tanh, absolute, soft_plus, soft_sign, elu, prelu, relun, power, exponential, logarithm, gelu
};
struct Neuron {  // the numbers are those of MPSCNNNeuronType
  NeuronType type = NeuronType::none;
  float a = 0, b = 0, c = 0;

  float operator()(float v) const {
    const double x = v, A = a, B = b, C = c;
    switch (type) {
      case NeuronType::relu: return v >= 0 ? v : a * v;
      case NeuronType::linear: return static_cast<float>(A * x + B);
      case NeuronType::sigmoid: return static_cast<float>(1 / (1 + std::exp(-x)));
      case NeuronType::hard_sigmoid: return static_cast<float>(std::clamp(A * x + B, 0.0, 1.0));
      case NeuronType::tanh: return static_cast<float>(A * std::tanh(B * x));
      case NeuronType::absolute: return std::fabs(v);
      case NeuronType::soft_plus: return static_cast<float>(A * (std::max(B * x, 0.0) + std::log1p(std::exp(-std::fabs(B * x)))));
      case NeuronType::soft_sign: return static_cast<float>(x / (1 + std::fabs(x)));
      case NeuronType::elu: return x >= 0 ? v : static_cast<float>(A * std::expm1(x));
      case NeuronType::relun: return std::min(v >= 0 ? v : a * v, b);
      case NeuronType::power: return static_cast<float>(std::pow(A * x + B, C));
      case NeuronType::exponential: return static_cast<float>(c == -1 ? std::exp(A * x + B) : std::pow(C, A * x + B));
      case NeuronType::logarithm: return static_cast<float>(std::log(A * x + B) / (c == -1 ? 1 : std::log(C)));
      case NeuronType::gelu: return static_cast<float>(0.5 * x * (1 + std::erf(x * std::sqrt(0.5))));
      case NeuronType::none:
      case NeuronType::prelu: break;
    }
    return v;
  }
};

struct ConvolutionWeights {
  Index outputs = 1, inputs = 1, groups = 1;  // inputs: of all groups
  Axis y, x;                                  // without offset
  std::vector<float> weights;                 // OHWI, as the kernel holds them: rounded to half unless are_float
  std::vector<float> bias;                    // one an output, always there
  Neuron neuron;
  bool are_float = false;
  bool is_depthwise = false;
};

inline Tensor convolve(const Tensor& src, const ConvolutionWeights& k, const LayerWindow& window, Index height, Index width, bool half_sums) {
  Tensor dst(height, width, k.outputs);
  const Index inputs = k.inputs / k.groups, outputs = k.outputs / k.groups;
  for (Index y = 0; y < height; ++y)
    for (Index x = 0; x < width; ++x)
      for (Index o = 0; o < k.outputs; ++o) {
        float sum = 0;
        const float* w = k.weights.data() + o * k.y.kernel * k.x.kernel * inputs;
        for (Index ky = 0; ky < k.y.kernel; ++ky)
          for (Index kx = 0; kx < k.x.kernel; ++kx, w += inputs) {
            const float* pixel = window.pixel(src, window.y.tap(y, ky), window.x.tap(x, kx));
            if (!pixel) continue;
            pixel += o / outputs * inputs;
            for (Index i = 0; i < inputs; ++i) sum = half_sums ? half(sum + w[i] * half(pixel[i])) : sum + w[i] * pixel[i];
          }
        dst.at(y, x)[o] = k.neuron(sum + k.bias[static_cast<std::size_t>(o)]);
      }
  return dst;
}

inline Tensor pool_max(const Tensor& src, const LayerWindow& window, Index height, Index width) {
  Tensor dst(height, width, src.channels);
  for (Index y = 0; y < height; ++y)
    for (Index x = 0; x < width; ++x)
      for (Index c = 0; c < src.channels; ++c) {
        float most = -INFINITY;
        for (Index ky = 0; ky < window.y.kernel; ++ky)
          for (Index kx = 0; kx < window.x.kernel; ++kx) {
            const float* pixel = window.pixel(src, window.y.tap(y, ky), window.x.tap(x, kx));
            most = std::max(most, pixel ? pixel[c] : 0.0f);
          }
        dst.at(y, x)[c] = most;
      }
  return dst;
}

// The pixels under the window's centre, each on its own.
template <class F>
Tensor map_pixels(const Tensor& src, const LayerWindow& window, Index height, Index width, F&& f) {
  Tensor dst(height, width, src.channels);
  const std::vector<float> zeros(static_cast<std::size_t>(src.channels));
  for (Index y = 0; y < height; ++y)
    for (Index x = 0; x < width; ++x) {
      const float* pixel = window.pixel(src, window.y.tap(y, 0), window.x.tap(x, 0));
      f(pixel ? pixel : zeros.data(), dst.at(y, x));
    }
  return dst;
}

inline Tensor soft_max(const Tensor& src, const LayerWindow& window, Index height, Index width) {
  return map_pixels(src, window, height, width, [&](const float* in, float* out) {
    const double most = *std::max_element(in, in + src.channels);
    double sum = 0;
    for (Index c = 0; c < src.channels; ++c) sum += std::exp(in[c] - most);
    for (Index c = 0; c < src.channels; ++c) out[c] = static_cast<float>(std::exp(in[c] - most) / sum);
  });
}

}  // namespace standin
