#pragma once
#include <doctest.h>

#include <cmath>
#include <cstring>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "core/dispatch.hpp"
#include "core/dtype.hpp"
#include "core/engine.hpp"
#include "core/text.hpp"
#include "cpu/isa.hpp"

// Operands with values, and kernels called through dispatch, as Python does it.
namespace mpskit::test {

// Elements as exact numbers, whatever their storage.
inline double decode(DType t, const std::byte* p) {
  auto as = [p]<class T>(T v) {
    std::memcpy(&v, p, sizeof v);
    return v;
  };
  switch (t) {
    case DType::u8: return as(std::uint8_t{}) / 255.0;
    case DType::u16: return as(std::uint16_t{}) / 65535.0;
    case DType::f16: return half_to_float(as(std::uint16_t{}));
    case DType::f32: return as(float{});
    case DType::i8: return as(std::int8_t{});
    case DType::i16: return as(std::int16_t{});
    case DType::i32: return as(std::int32_t{});
    case DType::u32: return as(std::uint32_t{});
    case DType::f64: return as(double{});
  }
  return 0;
}

struct Tensor {
  Operand operand;
  explicit Tensor(const Layout& layout)
      : operand{layout, Storage::allocate(static_cast<std::size_t>(layout.span_bytes()), true), 0, nullptr} {}
  const Layout& layout() const { return operand.layout; }
  std::byte* address(std::int64_t a, std::int64_t b, std::int64_t c, std::int64_t d) const {
    const auto& s = layout().stride;
    return operand.data() + a * s[0] + b * s[1] + c * s[2] + d * s[3];
  }
  double at(std::int64_t a, std::int64_t b, std::int64_t c, std::int64_t d = 0) const {
    return decode(layout().dtype, address(a, b, c, d));
  }
  // Over the whole range of an integer format; floats in [-1, 1).
  void fill(unsigned seed) const {
    std::mt19937 random(seed);
    const auto& e = layout().extent;
    for (std::int64_t a = 0; a < e[0]; ++a)
      for (std::int64_t b = 0; b < e[1]; ++b)
        for (std::int64_t c = 0; c < e[2]; ++c)
          for (std::int64_t d = 0; d < e[3]; ++d) {
            const std::uint32_t bits = static_cast<std::uint32_t>(random());
            const float value = static_cast<float>(bits) / 2147483648.0f - 1.0f;
            const std::uint16_t half = float_to_half(value);
            switch (layout().dtype) {
              case DType::f32: std::memcpy(address(a, b, c, d), &value, 4); break;
              case DType::f16: std::memcpy(address(a, b, c, d), &half, 2); break;
              default: std::memcpy(address(a, b, c, d), &bits, size_of(layout().dtype)); break;
            }
          }
  }
};

template <class K>
void run(const K& kernel, const std::vector<Tensor>& inputs, const std::vector<Tensor>& outputs) {
  PlanCache plans;
  std::vector<Operand> in, out;
  for (const Tensor& t : inputs) in.push_back(t.operand);
  for (const Tensor& t : outputs) out.push_back(t.operand);
  const auto engine = Engines::find("cpu");
  submit(*engine, std::make_shared<const KernelOf<K>>(kernel), plans, in, out, true)->rethrow();
}

template <class K>
Tolerance tolerance(DType t) {
  for (const Tolerance& entry : K::tolerances)
    if (entry.dtype == t) return entry;
  throw std::logic_error("the descriptor states no tolerance for this dtype");
}

// Compares an output with exact values f(a, b, c, d), element by element, with the descriptor's tolerance.
template <class K, class F>
void check(const Tensor& got, F&& exact) {
  const Layout& l = got.layout();
  const Tolerance allowed = tolerance<K>(l.dtype);
  const double codes = l.kind != Kind::image ? 1 : l.dtype == DType::u8 ? 255 : l.dtype == DType::u16 ? 65535 : 1;
  double worst = -1;
  std::string where;
  for (std::int64_t a = 0; a < l.extent[0]; ++a)
    for (std::int64_t b = 0; b < l.extent[1]; ++b)
      for (std::int64_t c = 0; c < l.extent[2]; ++c)
        for (std::int64_t d = 0; d < l.extent[3]; ++d) {
          double wanted = exact(a, b, c, d);
          if (codes > 1) wanted = std::nearbyint(std::min(std::max(wanted, 0.0), 1.0) * codes);
          const double value = got.at(a, b, c, d) * codes;
          const double excess = std::abs(value - wanted) - allowed.absolute - allowed.relative * std::abs(wanted);
          if (!(excess <= 0) && !(excess <= worst)) {
            worst = excess;
            where = cat("(", a, ", ", b, ", ", c, ", ", d, "): got ", value, ", wanted ", wanted);
          }
        }
  CHECK_MESSAGE(worst < 0, K::info.name, " ", name_of(l.dtype), " worst at ", where);
}

// Runs a body with every instruction set of this machine in turn.
template <class F>
void for_each_isa(F&& body) {
  for (cpu::Isa isa : cpu::available_isas()) {
    const std::string name(cpu::isa_names[static_cast<std::size_t>(isa)]);
    CAPTURE(name);
    cpu::force_isa(name);
    body();
  }
  cpu::force_isa("");
}

}  // namespace mpskit::test
