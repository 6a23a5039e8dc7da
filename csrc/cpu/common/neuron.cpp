#include "cpu/cnn/neuron.inl"

#include "cpu/simd/math.inl"

namespace mpskit::cpu::MPSKIT_ISA {

void apply_neuron(const cnn::Neuron& n, float* values, std::int64_t count, std::int64_t first) {
  using cnn::NeuronType;
  const Floats a = all(n.a), b = all(n.b), zero{};
  const auto linear = [=](Floats x) { return multiply_add(a, x, b); };
  const auto leaky = [=](Floats x) { return x < 0 ? a * x : x; };
  const auto scalar = [&](auto&& f) {  // seldom, and asked for in full precision
    for (std::int64_t i = 0; i < count; ++i) values[i] = static_cast<float>(f(double{n.a} * values[i] + n.b));
  };
  switch (n.type) {
    case NeuronType::none: break;
    case NeuronType::relu:
      if (n.a == 0) transform(values, count, [=](Floats x) { return maximum(zero, x); });
      else transform(values, count, leaky);
      break;
    case NeuronType::linear: transform(values, count, linear); break;
    case NeuronType::sigmoid: transform(values, count, [](Floats x) { return logistic(x); }); break;
    case NeuronType::hard_sigmoid: transform(values, count, [=](Floats x) { return minimum(all(1), maximum(zero, linear(x))); }); break;
    case NeuronType::tanh: transform(values, count, [=](Floats x) { return a * tanh(b * x); }); break;
    case NeuronType::absolute: transform(values, count, [](Floats x) { return magnitude(x); }); break;
    case NeuronType::softplus: transform(values, count, [=](Floats x) { return a * softplus(b * x); }); break;
    case NeuronType::softsign: transform(values, count, [](Floats x) { return x / (1 + magnitude(x)); }); break;
    case NeuronType::elu: transform(values, count, [=](Floats x) { return x < 0 ? a * expm1_of_negative(x) : x; }); break;
    case NeuronType::prelu:
      for (std::int64_t i = 0; i < count; ++i) values[i] = values[i] < 0 ? n.slopes[static_cast<std::size_t>(first + i)] * values[i] : values[i];
      break;
    case NeuronType::relun:
      if (n.a == 0) transform(values, count, [=](Floats x) { return minimum(b, maximum(zero, x)); });
      else transform(values, count, [=](Floats x) { return minimum(b, leaky(x)); });
      break;
    case NeuronType::power: scalar([&](double x) { return std::pow(x, double{n.c}); }); break;
    case NeuronType::exponential: scalar([&](double x) { return n.c == -1 ? std::exp(x) : std::pow(double{n.c}, x); }); break;
    case NeuronType::logarithm: {
      const double base = n.c == -1 ? 1 : std::log(double{n.c});
      scalar([&](double x) { return std::log(x) / base; });
      break;
    }
    case NeuronType::gelu: transform(values, count, [](Floats x) { return gelu(x); }); break;
  }
}

void differentiate_neuron(const cnn::Neuron& n, float* values, std::int64_t count, std::int64_t first) {
  using cnn::NeuronType;
  const Floats a = all(n.a), b = all(n.b), zero{}, one = all(1);
  const auto scalar = [&](auto&& f) {  // seldom, and asked for in full precision
    for (std::int64_t i = 0; i < count; ++i) values[i] = static_cast<float>(f(double{values[i]}));
  };
  const double da = n.a, db = n.b, dc = n.c, log_c = n.c == -1 ? 1 : std::log(dc);
  switch (n.type) {
    case NeuronType::none: std::fill(values, values + count, 1.0f); break;
    case NeuronType::relu: transform(values, count, [=](Floats x) { return x >= 0 ? one : a; }); break;
    case NeuronType::linear: std::fill(values, values + count, n.a); break;
    case NeuronType::sigmoid:
      transform(values, count, [=](Floats x) {
        const Floats e = exp_of_negative(-magnitude(x));
        return e / ((1 + e) * (1 + e));
      });
      break;
    case NeuronType::hard_sigmoid:
      transform(values, count, [=](Floats x) {
        const Floats u = multiply_add(a, x, b);
        return ((u >= 0) & (u <= 1)) ? a : zero;
      });
      break;
    case NeuronType::tanh:
      transform(values, count, [=](Floats x) {
        const Floats t = tanh(b * x);
        return a * b * (1 - t * t);
      });
      break;
    case NeuronType::absolute: transform(values, count, [=](Floats x) { return x > 0 ? one : x < 0 ? -one : x; }); break;
    case NeuronType::softplus: transform(values, count, [=](Floats x) { return a * b * logistic(b * x); }); break;
    case NeuronType::softsign:
      transform(values, count, [](Floats x) {
        const Floats d = 1 / (1 + magnitude(x));
        return d * d;
      });
      break;
    case NeuronType::elu: transform(values, count, [=](Floats x) { return x >= 0 ? one : a * exp_of_negative(x); }); break;
    case NeuronType::prelu:
      for (std::int64_t i = 0; i < count; ++i) values[i] = values[i] >= 0 ? 1 : n.slopes[static_cast<std::size_t>(first + i)];
      break;
    case NeuronType::relun: transform(values, count, [=](Floats x) { return x >= b ? zero : x >= 0 ? one : a; }); break;
    case NeuronType::power: scalar([&](double x) { return da * dc * std::pow(da * x + db, dc - 1); }); break;
    case NeuronType::exponential: scalar([&](double x) { return da * log_c * std::exp(log_c * (da * x + db)); }); break;
    case NeuronType::logarithm: scalar([&](double x) { return da / (log_c * (da * x + db)); }); break;
    case NeuronType::gelu:
      scalar([](double x) {
        return 0.5 * (1 + std::erf(x * std::numbers::sqrt2 / 2)) + x * std::exp(-x * x / 2) * std::numbers::inv_sqrtpi / std::numbers::sqrt2;
      });
      break;
  }
}

}  // namespace mpskit::cpu::MPSKIT_ISA
